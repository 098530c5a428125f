// Tests of whose figures a node's sample replaces.
import { beforeEach, expect, it } from 'vitest';
import type { NodeSample } from '../../api/metrics/sample.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { MetricsStore, STALE_MS } from './metrics-store.ts';

const usage = { cpuNanoCores: 1, memoryBytes: 1 };
let clock: VirtualClock;
let store: MetricsStore;
/** Where each pod is. */
let places: Map<string, string>;

beforeEach(() => {
  clock = new VirtualClock();
  places = new Map([
    ['web', 'n1'],
    ['db', 'n1'],
  ]);
  store = new MetricsStore(clock, {
    nodeLabels: () => ({}),
    podLabels: ({ name, node }) => (places.get(name) === node ? {} : undefined),
  });
});

const sample = (...names: string[]): NodeSample => ({
  timestampMs: clock.now(),
  windowMs: 1000,
  node: usage,
  pods: names.map((name) => ({
    namespace: 'shop',
    name,
    uid: name,
    containers: [{ name: 'main', ...usage }],
  })),
});
const shown = () =>
  store.list('pods').map(({ metadata }) => (metadata as { name?: string }).name ?? '');

it('a pod that its node speaks of no more has no figures, and one that moved has those of its new node', () => {
  store.put('n1', sample('web', 'db'));
  expect(shown()).toEqual(['web', 'db']);
  store.put('n1', sample('web'));
  expect(shown()).toEqual(['web']);
  places.set('web', 'n2');
  store.put('n2', sample('web'));
  store.put('n1', sample());
  expect(shown()).toEqual(['web']);
  store.put('n2', sample());
  expect(shown()).toEqual([]);
});

it('figures of a silent node are told gone, though another node goes on speaking', async () => {
  places.set('db', 'n2');
  const gone: string[] = [];
  store.put('n1', sample('web'));
  store.subscribe((events) => {
    for (const { kind, type, object } of events)
      if (kind === 'pods' && type === 'DELETED')
        gone.push((object.metadata as { name?: string }).name ?? '');
  });
  for (let passed = 0; passed < 2 * STALE_MS; passed += 5_000) {
    await clock.advance(5_000);
    store.put('n2', sample('db'));
  }
  expect(gone).toEqual(['web']);
  expect(shown()).toEqual(['db']);
  store.close();
  expect(clock.pendingTimers).toBe(0);
});
