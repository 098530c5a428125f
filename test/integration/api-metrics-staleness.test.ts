// Figures of a node that falls silent, and the end of watches of figures, on a clock that moves when told.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const NODES = '/apis/metrics.k8s.io/v1beta1/nodes';

describe('Figures', () => {
  const clock = new VirtualClock();
  let api: ApiCaller;
  beforeEach(async () => {
    api = await anApiCaller({ clock });
    const body = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
    await api.call('POST', '/api/v1/nodes', { body });
  });
  afterEach(() => api.close());
  const sample = () =>
    api.call('POST', `${NODES}/n1/samples`, {
      body: {
        timestampMs: clock.now(),
        windowMs: 1000,
        node: { cpuNanoCores: 1, memoryBytes: 1 },
        pods: [],
      },
    });

  it('of a silent node are taken back after half a minute, and watchers hear of it', async () => {
    const watch = await api.watch(NODES);
    expect((await sample()).status).toBe(204);
    await clock.advance(20_000);
    await sample();
    expect(await watch.take(2)).toEqual(['ADDED n1', 'MODIFIED n1']);
    await clock.advance(29_000);
    expect((await api.call('GET', `${NODES}/n1`)).status).toBe(200);
    await clock.advance(10_000);
    expect(await watch.take(1)).toEqual(['DELETED n1']);
    expect((await api.call('GET', `${NODES}/n1`)).status).toBe(404);
    watch.stop();
  });

  it('are watched for as long as was asked, and leave no timer behind', async () => {
    const timers = clock.pendingTimers;
    const read = await api.watch(`${NODES}?timeoutSeconds=10`);
    const unread = await api.watch(`${NODES}?timeoutSeconds=100`);
    const end = read.next();
    await clock.advance(11_000);
    expect(await end).toBeUndefined();
    unread.stop();
    expect(clock.pendingTimers).toBe(timers);
  });
});

describe('Watches of objects', () => {
  it('that nobody reads leave no timer behind when their caller goes', async () => {
    const clock = new VirtualClock();
    const api = await anApiCaller({ clock });
    const timers = clock.pendingTimers;
    (await api.watch('/api/v1/pods')).stop();
    expect(clock.pendingTimers).toBe(timers);
    await api.close();
  });
});
