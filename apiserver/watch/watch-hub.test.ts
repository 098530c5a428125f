// Who is told of an event, and when: many watchers are woken in several turns of the event loop.
// Nothing is doubled.
import { describe, expect, it } from 'vitest';
import { stillness } from '../../base/breathe.ts';
import type { StoreEvent } from './visible-object.ts';
import { VisibleObject } from './visible-object.ts';
import { WAKES_PER_TURN, WatchHub } from './watch-hub.ts';

const PREFIX = '/registry/core/pods/';
const LIMITS = { maxEvents: 4, maxBytes: 1_000_000 };

function anEvent(revision: bigint): StoreEvent {
  const key = `${PREFIX}p${revision}`;
  const stored = { key, revision, bytes: Buffer.from('{}'), revisionAt: 0 };
  const value = new VisibleObject(stored);
  return { type: 'put', key, revision, value, previous: undefined };
}

/** Watchers that wait, and what each has been handed so far, by revision. */
function waiting(hub: WatchHub, count: number) {
  const handed: bigint[][][] = [];
  const releases = Array.from({ length: count }, (_, nth) => {
    const { buffer, release } = hub.open(PREFIX);
    const batches: bigint[][] = (handed[nth] = []);
    const read = async () => {
      for (let batch = await buffer.next(); batch; batch = await buffer.next())
        batches.push(batch.map(({ revision }) => revision));
    };
    void read();
    return release;
  });
  return { handed, releases };
}

/** Resolves in this turn of the event loop, once no promise is left to go on. */
const promisesRun = () => new Promise<void>((resolve) => process.nextTick(resolve));

describe('WatchHub', () => {
  it('wakes many watchers in several turns, each once for all that came meanwhile', async () => {
    const hub = new WatchHub(LIMITS);
    const { handed } = waiting(hub, 2 * WAKES_PER_TURN + 1);
    const told = () => handed.filter((batches) => batches.length > 0).length;
    hub.publish([anEvent(1n)]);
    await promisesRun();
    expect(told()).toBe(WAKES_PER_TURN);
    hub.publish([anEvent(2n)]);
    await promisesRun();
    expect(told()).toBe(WAKES_PER_TURN);
    await stillness();
    expect(handed[0]).toEqual([[1n], [2n]]);
    expect(handed[WAKES_PER_TURN - 1]).toEqual([[1n], [2n]]);
    for (const batches of handed.slice(WAKES_PER_TURN)) expect(batches).toEqual([[1n, 2n]]);
  });

  it('ends those that fall behind before their turn with Expired, and forgets those that leave', async () => {
    const hub = new WatchHub(LIMITS);
    const { handed, releases } = waiting(hub, WAKES_PER_TURN);
    const { buffer } = hub.open(PREFIX);
    const late = buffer.next();
    hub.publish([anEvent(1n)]);
    for (const release of releases) release();
    for (let revision = 2n; revision <= 5n; revision++) hub.publish([anEvent(revision)]);
    await expect(late).rejects.toMatchObject({ reason: 'Expired' });
    await stillness();
    expect(handed.every((batches) => batches.length === 1)).toBe(true);
    expect(hub.watchers).toBe(0);
  });
});
