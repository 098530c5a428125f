// Leader election under what goes wrong: silent servers, clocks that differ, Leases that others write; on clocks the test moves.
import { afterEach, expect, it } from 'vitest';
import { Figures } from '../../base/figures.ts';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { Leases } from '../../api/kinds.ts';
import { ElectionFigures } from '../../client/election/election-figures.ts';
import { ELECTION_TIMES, runElection } from '../../client/election/lease-election.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { anApiServer } from '../support/client-server.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const at = { namespace: 'kube-system', name: 'election' };

/** A candidate on a clock of its own, and how its requests go. */
function candidate(identity: string, inner: Transport, clock: VirtualClock) {
  const stop = new AbortController();
  const figures = new Figures();
  const me = {
    identity,
    clock,
    stop,
    figures,
    leading: false,
    silent: false,
    requests: [] as string[],
  };
  const request: Transport['request'] = (asked) => {
    // A server that says nothing, and a transport that does not even heed the signal.
    if (me.silent) return new Promise(() => undefined);
    me.requests.push(asked.method);
    return inner.request(asked);
  };
  const client = createClient({ ...inner, request });
  const random = seededRandom(identity.length);
  const shown = new ElectionFigures(figures);
  const running = runElection(
    { ...at, client, clock, random, logger: silentLogger, identity, figures: shown },
    async (signal) => {
      me.leading = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      me.leading = false;
    },
    stop.signal,
  );
  endings.push(async () => {
    stop.abort(new Error('the test is over'));
    if (!me.silent) await running;
  });
  return me;
}

async function aServer() {
  const server = await anApiServer();
  endings.push(() => server.close());
  return server;
}

it('ends a term exactly at the renew deadline, though its requests neither end nor heed their signal', async () => {
  const { transport } = await aServer();
  const me = candidate('only', transport, new VirtualClock());
  await me.clock.advance(0);
  expect(me.leading).toBe(true);
  me.silent = true;
  await me.clock.advance(ELECTION_TIMES.renewDeadlineMs - 1);
  expect(me.leading).toBe(true);
  await me.clock.advance(1);
  expect(me.leading).toBe(false);
});

it.each([
  ['as fast', 1, 0],
  ['a quarter faster', 1.25, 0],
  ['a quarter slower', 0.8, 0],
  ['an hour ahead', 1, 3_600_000],
  ['an hour behind', 1, -3_600_000],
])('never has two leaders where the other clock goes %s', async (_name, rate, aheadMs) => {
  const { transport } = await aServer();
  const first = candidate('first', transport, new VirtualClock());
  await first.clock.advance(0);
  const second = candidate('second!', transport, new VirtualClock());
  second.clock.stepWall(aheadMs);
  let overlaps = 0;
  let tookOver = 0;
  for (let seconds = 0; seconds < 60; seconds += 0.25) {
    // Cut off when it has just renewed, and when it is about to.
    if (seconds === 20.25) first.silent = true;
    await first.clock.advance(250);
    if (first.leading && second.leading) overlaps++;
    await second.clock.advance(250 * rate);
    if (first.leading && second.leading) overlaps++;
    if (second.leading && tookOver === 0) tookOver = seconds;
  }
  expect(overlaps).toBe(0);
  expect(tookOver).toBeGreaterThan(20);
  expect(tookOver).toBeLessThan(45);
});

it('renews by one write, and by a look first only where somebody else wrote the Lease', async () => {
  const { transport } = await aServer();
  const leases = createClient(transport).resource(Leases);
  const me = candidate('only', transport, new VirtualClock());
  await me.clock.advance(0);
  me.requests.length = 0;
  await me.clock.advance(9_000);
  expect(new Set(me.requests)).toEqual(new Set(['PUT']));
  const shows = async (line: string) => (await me.figures.text()).split('\n').includes(line);
  expect(await shows('leader_election_master_status{name="election"} 1')).toBe(true);
  expect(await shows('leader_election_slowpath_total{name="election"} 0')).toBe(true);
  const body = { metadata: { labels: { touched: 'yes' } } };
  await leases.patch(at, { type: 'merge', body });
  await me.clock.advance(3_000);
  expect(me.requests).toContain('GET');
  expect(me.leading).toBe(true);
  expect(await shows('leader_election_slowpath_total{name="election"} 1')).toBe(true);
  expect((await leases.get(at)).metadata.labels).toEqual({ touched: 'yes' });
  me.stop.abort(new Error('going'));
  await me.clock.advance(0);
  expect(await shows('leader_election_master_status{name="election"} 0')).toBe(true);
});

it('gives the lead up at once where another has taken the Lease', async () => {
  const { transport } = await aServer();
  const leases = createClient(transport).resource(Leases);
  const me = candidate('only', transport, new VirtualClock());
  await me.clock.advance(0);
  const lease = await leases.get(at);
  await leases.update({ ...lease, spec: { ...lease.spec, holderIdentity: 'usurper' } });
  await me.clock.advance(3_000);
  expect(me.leading).toBe(false);
  expect((await leases.get(at)).spec?.holderIdentity).toBe('usurper');
});
