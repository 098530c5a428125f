// Leader election by a Lease on the real API server, on a clock that the test moves.
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { Leases } from '../../api/kinds.ts';
import { runElection } from '../../client/election/lease-election.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { anApiServer } from '../support/client-server.ts';
import { FaultyTransport } from '../support/faulty-transport.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const at = { namespace: 'kube-system', name: 'election' };

async function setUp() {
  const server = await anApiServer();
  endings.push(() => server.close());
  const clock = new VirtualClock();
  const leases = createClient(server.transport).resource(Leases);
  /** Moves time until the condition holds; answers how many seconds that took. */
  const seconds = async (condition: () => boolean): Promise<number> => {
    const begun = clock.now();
    while (!condition()) {
      if (clock.now() - begun > 120_000) throw new Error(`never: ${condition.toString()}`);
      await clock.advance(100);
    }
    return (clock.now() - begun) / 1000;
  };
  return { clock, leases, seconds, transport: server.transport };
}

/** A candidate that leads until told to stop, and notes it. */
function candidate(identity: string, clock: VirtualClock, inner: Transport) {
  const transport = new FaultyTransport(() => inner);
  const stop = new AbortController();
  const ending: (signal: AbortSignal) => void = () => undefined;
  const me = { identity, leading: false, terms: 0, transport, stop, atTheEnd: ending };
  const running = runElection(
    {
      ...at,
      client: createClient(transport),
      clock,
      random: seededRandom(identity.length),
      logger: silentLogger,
      identity,
    },
    async (signal) => {
      me.leading = true;
      me.terms++;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      me.leading = false;
      me.atTheEnd(signal);
    },
    stop.signal,
  );
  endings.push(async () => {
    stop.abort(new Error('the test is over'));
    await running;
  });
  return me;
}

describe('election by lease', () => {
  it('goes on as a candidate when the work rejects because its term was lost', async () => {
    const { clock, seconds, transport } = await setUp();
    for (const [identity, atTheEnd] of [
      ['aborts', (signal: AbortSignal) => signal.throwIfAborted()],
      ['fails otherwise', () => expect.fail('cut off')],
    ] as const) {
      const me = candidate(identity, clock, transport);
      me.atTheEnd = (signal) => {
        if (!me.stop.signal.aborted) atTheEnd(signal);
      };
      await seconds(() => me.leading);
      me.transport.down = new ConnectionError('lost', 'cut');
      await seconds(() => !me.leading);
      me.transport.down = undefined;
      await seconds(() => me.terms === 2);
      me.stop.abort(new Error('next'));
      await seconds(() => !me.leading);
    }
  });

  it('counts the first term from the request that began it, as the lease does', async () => {
    const { clock, seconds, transport } = await setUp();
    let slow = true;
    let sentAt = 0;
    const request: Transport['request'] = async (asked) => {
      const answer = await transport.request(asked);
      if (asked.method !== 'GET' && slow) {
        slow = false;
        sentAt = clock.now();
        await clock.sleep(8_000);
        me.transport.down = new ConnectionError('lost', 'cut');
      }
      return answer;
    };
    const me = candidate('slow', clock, { ...transport, request });
    await seconds(() => me.leading);
    await seconds(() => !me.leading);
    expect(clock.now() - sentAt).toBeLessThan(14_000);
  });

  it('gives the lease to one candidate, who keeps renewing it', async () => {
    const { clock, leases, seconds, transport } = await setUp();
    const first = candidate('first', clock, transport);
    await seconds(() => first.leading);
    const second = candidate('second!', clock, transport);
    await clock.advance(70_000);
    expect([first.leading, second.leading]).toEqual([true, false]);
    const lease = await leases.get(at);
    expect(lease.spec).toMatchObject({
      holderIdentity: 'first',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2026-01-01T00:00:00.000000Z',
    });
    expect(lease.spec?.renewTime?.slice(0, 17)).toBe('2026-01-01T00:01:');
  });

  it('passes at once to another when the leader stops', async () => {
    const { clock, leases, seconds, transport } = await setUp();
    const first = candidate('first', clock, transport);
    await seconds(() => first.leading);
    const second = candidate('second!', clock, transport);
    await clock.advance(5_000);
    first.stop.abort(new Error('going'));
    expect(await seconds(() => second.leading)).toBeLessThan(3);
    expect((await leases.get(at)).spec).toMatchObject({
      holderIdentity: 'second!',
      leaseTransitions: 1,
    });
  });

  it('ends the term of a leader that is cut off before another may take over', async () => {
    const { clock, seconds, transport } = await setUp();
    const first = candidate('first', clock, transport);
    await seconds(() => first.leading);
    const second = candidate('second!', clock, transport);
    await clock.advance(5_000);
    first.transport.down = new ConnectionError('lost', 'cut off');
    const ended = await seconds(() => !first.leading);
    expect(second.leading).toBe(false);
    expect(ended).toBeLessThan(13);
    const taken = await seconds(() => second.leading);
    expect(ended + taken).toBeLessThan(19);
    first.transport.down = undefined;
    await clock.advance(30_000);
    expect([first.leading, second.leading]).toEqual([false, true]);
    second.stop.abort(new Error('going'));
    await seconds(() => first.leading);
    expect(first.terms).toBe(2);
  });

  it('goes on leading through failures shorter than the deadline', async () => {
    const { clock, seconds, transport } = await setUp();
    const first = candidate('first', clock, transport);
    await seconds(() => first.leading);
    first.transport.down = new ConnectionError('lost', 'a hiccup');
    await clock.advance(7_000);
    first.transport.down = undefined;
    await clock.advance(30_000);
    expect([first.leading, first.terms]).toEqual([true, 1]);
  });
});
