// Who is told of an event, and when: many watchers are woken in several turns of the event loop, and leave some of it to others.
// Nothing is doubled. The time that readers take is a double's, the same for each turn.
import { describe, expect, it } from 'vitest';
import { stillness } from '../../base/breathe.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { StoreEvent } from './visible-object.ts';
import { VisibleObject } from './visible-object.ts';
import { FEW_READERS, MAX_REST_MS, REST_PER_WORK, WAKES_PER_TURN, WatchHub } from './watch-hub.ts';

const PREFIX = '/registry/core/pods/';
const LIMITS = { maxEvents: 4, maxBytes: 1_000_000 };

function anEvent(revision: bigint): StoreEvent {
  const key = `${PREFIX}p${revision}`;
  const stored = { key, revision, bytes: Buffer.from('{}'), revisionAt: 0 };
  const value = new VisibleObject(stored);
  return { type: 'put', key, revision, value, previous: undefined };
}

const TURN_MS = 4;

/** Where every turn takes as long, and rests are over when the test says so. */
function evenTurns(turnMs = TURN_MS) {
  const rests: { readonly ms: number; end(): void }[] = [];
  let now = 0;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => (now += turnMs),
    timer: (ms, end) => {
      rests.push({ ms, end });
      return { cancel: () => {} };
    },
  };
  return { clock, rests };
}

/** Watchers that wait, and what each has been handed so far, by revision. */
function waiting(hub: WatchHub, count: number, prefix = PREFIX) {
  const handed: bigint[][][] = [];
  const ends: unknown[] = [];
  const releases = Array.from({ length: count }, (_, nth) => {
    const { buffer, release } = hub.open(prefix);
    const batches: bigint[][] = (handed[nth] = []);
    const read = async () => {
      for (let batch = await buffer.next(); batch; batch = await buffer.next())
        batches.push(batch.map(({ revision }) => revision));
    };
    read().catch((error: unknown) => ends.push(error));
    return release;
  });
  return { handed, releases, ends };
}

/** Resolves in this turn of the event loop, once no promise is left to go on. */
const promisesRun = () => new Promise<void>((resolve) => process.nextTick(resolve));

describe('WatchHub', () => {
  it('wakes many watchers in several turns, each once for all that came meanwhile', async () => {
    const { clock, rests } = evenTurns();
    const hub = new WatchHub(LIMITS, clock);
    const { handed } = waiting(hub, 2 * WAKES_PER_TURN + 1);
    const told = () => handed.filter((batches) => batches.length > 0).length;
    hub.publish([anEvent(1n)]);
    await promisesRun();
    expect(told()).toBe(WAKES_PER_TURN);
    hub.publish([anEvent(2n)]);
    await promisesRun();
    expect(told()).toBe(WAKES_PER_TURN);
    await stillness();
    for (const batches of handed.slice(WAKES_PER_TURN)) expect(batches).toEqual([[1n, 2n]]);
    expect(handed[0]).toEqual([[1n]]);
    rests[0]?.end();
    await stillness();
    expect(handed[0]).toEqual([[1n], [2n]]);
    expect(handed[WAKES_PER_TURN - 1]).toEqual([[1n], [2n]]);
  });

  it('lets many rest for a part of the time that they took from the second turn on, and gives them all that came meanwhile at once', async () => {
    const { clock, rests } = evenTurns();
    const hub = new WatchHub(LIMITS, clock);
    const { handed } = waiting(hub, 4 * WAKES_PER_TURN);
    hub.publish([anEvent(1n)]);
    await stillness();
    expect(rests.map(({ ms }) => ms)).toEqual([3 * TURN_MS * REST_PER_WORK]);
    hub.publish([anEvent(2n)]);
    hub.publish([anEvent(3n)]);
    await stillness();
    for (const batches of handed) expect(batches).toEqual([[1n]]);
    rests[0]?.end();
    await stillness();
    for (const batches of handed) expect(batches).toEqual([[1n], [2n, 3n]]);
    rests[1]?.end();
    await stillness();
    expect(rests).toHaveLength(2);
  });

  it('lets a few of another prefix wait for neither turn nor rest of the many', async () => {
    const hub = new WatchHub(LIMITS, evenTurns().clock);
    waiting(hub, 2 * WAKES_PER_TURN);
    const { handed } = waiting(hub, FEW_READERS, '/registry/core/nodes/');
    hub.publish([anEvent(1n)]);
    await stillness();
    const key = '/registry/core/nodes/n';
    hub.publish([{ ...anEvent(2n), key }]);
    await promisesRun();
    for (const batches of handed) expect(batches).toEqual([[2n]]);
  });

  it.each([
    ['longer than the longest one', 60_000, [MAX_REST_MS]],
    ['for less than timers know', 1, []],
  ])('lets nobody rest %s', async (_what, turnMs, expected) => {
    const { clock, rests } = evenTurns(turnMs);
    const hub = new WatchHub(LIMITS, clock);
    waiting(hub, 3 * WAKES_PER_TURN);
    hub.publish([anEvent(1n)]);
    await stillness();
    expect(rests.map(({ ms }) => ms)).toEqual(expected);
  });

  it('lets nobody rest where no more were woken than one turn has', async () => {
    const { clock, rests } = evenTurns();
    const hub = new WatchHub(LIMITS, clock);
    const { handed } = waiting(hub, WAKES_PER_TURN);
    for (const revision of [1n, 2n]) {
      hub.publish([anEvent(revision)]);
      await stillness();
    }
    for (const batches of handed) expect(batches).toEqual([[1n], [2n]]);
    expect(rests).toEqual([]);
  });

  it('ends those that fall behind before their turn with Expired, and forgets those that leave', async () => {
    const hub = new WatchHub(LIMITS, evenTurns().clock);
    const { handed, releases, ends } = waiting(hub, WAKES_PER_TURN + FEW_READERS + 1);
    hub.publish([anEvent(1n)]);
    for (const release of releases.slice(0, WAKES_PER_TURN)) release();
    for (let revision = 2n; revision <= 5n; revision++) hub.publish([anEvent(revision)]);
    await stillness();
    expect(handed.filter((batches) => batches.length === 1)).toHaveLength(WAKES_PER_TURN);
    expect(ends).toHaveLength(FEW_READERS + 1);
    for (const end of ends) expect(end).toMatchObject({ reason: 'Expired' });
    expect(hub.watchers).toBe(0);
  });
});
