// What a leader's controllers may write: all while the lead lasts, nothing after; on clocks the test moves.
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Leases } from '../../api/kinds.ts';
import { ELECTION_TIMES } from '../../client/election/lease-election.ts';
import { LeadershipLost } from '../../client/election/term.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { anApiServer } from '../support/client-server.ts';
import { until } from '../support/until.ts';
import { fenced } from '../../examples/museum/two-leaders.ts';
import { explore } from '../../testing/simulation/index.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const lock = { namespace: 'kube-system', name: 'lock' };
const mark = { namespace: 'default', name: 'mark' };
const { renewDeadlineMs } = ELECTION_TIMES;
/** Longer than a Lease lasts that nobody renews. */
const LONG_MS = 25_000;
/** Without a fence two leaders do harm within 30. */
const RUNS = process.env['PINNACE_LONG'] ? 10_000 : 60;

/** A leader in the middle of its one reconcile. */
async function aLeaderAtWork() {
  const server = await anApiServer();
  endings.push(() => server.close());
  const clock = new VirtualClock();
  const stop = new AbortController();
  const begun = Promise.withResolvers<ResourceClient<ConfigMap>>();
  const mayEnd = Promise.withResolvers<void>();
  const line = { isUp: true, lateMs: 0 };
  const request: Transport['request'] = async (asked) => {
    if (!line.isUp && asked.path.includes('leases')) throw new Error('the line is down');
    if (asked.method === 'PATCH' && line.lateMs > 0) await clock.sleep(line.lateMs, asked.signal);
    return server.transport.request(asked);
  };
  const inner = server.transport;
  const transport: Transport = {
    request,
    watch: (asked) => inner.watch(asked),
    stream: (asked) => inner.stream(asked),
    close: () => undefined,
  };
  const writer = controllerFor(ConfigMaps)
    .where(({ metadata }) => metadata.name === mark.name)
    .reconcile(async (_, { resource }) => {
      begun.resolve(resource);
      await mayEnd.promise;
    });
  const configs = createClient(inner).resource(ConfigMaps);
  await configs.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: mark });
  const running = runControllers(
    [writer],
    {
      client: createClient(transport),
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      leaderElection: { ...lock, identity: 'leader' },
    },
    stop.signal,
  );
  const end = async () => {
    mayEnd.resolve();
    stop.abort(new Error('the test is over'));
    await running;
  };
  endings.push(end);
  await clock.advance(0);
  const resource = await begun.promise;
  const write = () => resource.patch(mark, { type: 'merge', body: { data: { by: 'leader' } } });
  const written = async () => (await configs.get(mark)).data?.['by'] === 'leader';
  const leases = createClient(inner).resource(Leases);
  const holder = async () => (await leases.get(lock)).spec?.holderIdentity;
  return { clock, line, stop, write, written, resource, end, holder };
}

describe('a reconcile that is under way', () => {
  it('may read, but no longer write, once the lead is lost, though the server is there again', async () => {
    const { clock, line, write, written, resource } = await aLeaderAtWork();
    line.isUp = false;
    await clock.advance(renewDeadlineMs + 1);
    line.isUp = true;
    await expect(write()).rejects.toThrow(LeadershipLost);
    expect(await written()).toBe(false);
    expect((await resource.get(mark)).metadata.name).toBe(mark.name);
  });

  it('has its write given up that has not got out when the lead is lost', async () => {
    const { clock, line, write, written } = await aLeaderAtWork();
    line.isUp = false;
    line.lateMs = LONG_MS;
    const late = write().catch((error: unknown) => error);
    await clock.advance(LONG_MS + 1);
    expect(await late).toBeInstanceOf(LeadershipLost);
    expect(await written()).toBe(false);
  });

  it('may write on after a stop, as the Lease is renewed until it has ended', async () => {
    const { clock, stop, write, written, end, holder } = await aLeaderAtWork();
    stop.abort(new Error('told to stop'));
    await clock.advance(LONG_MS);
    expect(await holder()).toBe('leader');
    await write();
    expect(await written()).toBe(true);
    await end();
    await until(async () => (await holder()) === '');
  });

  it('may write nothing more after a stop that came before the lead was lost', async () => {
    const { clock, line, stop, write } = await aLeaderAtWork();
    stop.abort(new Error('told to stop'));
    line.isUp = false;
    await clock.advance(renewDeadlineMs + 1);
    await expect(write()).rejects.toThrow(LeadershipLost);
  });
});

it('keeps two leaders from doing harm to writes that carry no revision', async () => {
  const { failures, runs } = await explore(fenced, { runs: RUNS });
  expect(failures.map(({ story }) => story)).toEqual([]);
  expect(runs).toBe(RUNS);
}, 120_000);
