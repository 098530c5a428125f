// The write lane over a log whose disk fails on demand: what becomes of writes that rest on a failed batch.
// The failing log stands for the operating system; everything else is real.
import { describe, expect, it } from 'vitest';
import { encodeObject } from './revision-gap.ts';
import { LogRefusedError } from './event-log.ts';
import { MemoryLog } from './memory/memory-log.ts';
import type { StorageEvent } from './storage.ts';
import type { LaneHooks } from './write-lane.ts';
import { READ_ONLY_PROBE_MS, WriteLane } from './write-lane.ts';

class FailingLog extends MemoryLog {
  failure: Error | undefined;
  attempts = 0;

  override async append(events: readonly StorageEvent[]): Promise<void> {
    this.attempts++;
    if (this.failure) throw this.failure;
    await super.append(events);
  }
}

function setUp(liveMaxBytes = 1_000_000) {
  const log = new FailingLog();
  const told: string[] = [];
  const time = { now: 0 };
  const hooks: LaneHooks = {
    now: () => time.now,
    durable: (events) => told.push(...events.map(({ key, revision }) => `${key}@${revision}`)),
    readOnly: (reason) => told.push(reason ?? 'writable'),
    nearlyFull: () => told.push('nearly full'),
    fatal: () => told.push('fatal'),
  };
  const lane = new WriteLane(log, hooks, liveMaxBytes);
  return { log, lane, told, time };
}

const value = () => encodeObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } });
const full = () => new LogRefusedError('no space left');

describe('WriteLane', () => {
  it('fails every write that rests on a refused batch, conflicts too, and shows the state before it', async () => {
    const { log, lane, told } = setUp();
    await lane.commit('/a', 'absent', value());
    log.failure = full();
    const update = lane.commit('/a', 1n, value());
    const onTop = lane.commit('/a', 2n, 'delete');
    const other = lane.commit('/b', 'absent', value());
    const conflicting = lane.commit('/b', 'absent', value());
    expect(lane.latest('/b')?.revision).toBe(4n);
    for (const write of [update, onTop, other, conflicting])
      await expect(write).rejects.toMatchObject({ reason: 'ReadOnly' });
    expect(lane.latest('/a')?.revision).toBe(1n);
    expect(lane.latest('/b')).toBeUndefined();
    expect(lane.revision).toBe(1n);
    expect(told).toEqual(['/a@1', 'the store takes no writes: no space left']);
  });

  it('stays read-only without trying the disk for each write, and goes on with the next revision when it is well', async () => {
    const { log, lane, told, time } = setUp();
    log.failure = full();
    await expect(lane.commit('/a', 'any', value())).rejects.toMatchObject({ reason: 'ReadOnly' });
    for (let i = 0; i < 10; i++)
      await expect(lane.commit('/a', 'any', value())).rejects.toMatchObject({ reason: 'ReadOnly' });
    expect(log.attempts).toBe(1);
    expect(lane.readOnlyReason).toContain('no space left');
    time.now += READ_ONLY_PROBE_MS;
    await expect(lane.commit('/a', 'any', value())).rejects.toMatchObject({ reason: 'ReadOnly' });
    expect(log.attempts).toBe(2);
    log.failure = undefined;
    time.now += READ_ONLY_PROBE_MS;
    expect(await lane.commit('/a', 'any', value())).toMatchObject({ revision: 1n });
    expect(await lane.commit('/a', 1n, value())).toMatchObject({ revision: 2n });
    expect(lane.readOnlyReason).toBeUndefined();
    expect(told.slice(-3)).toEqual(['writable', '/a@1', '/a@2']);
  });

  it('warns before the objects fill the store, then takes only deletions until there is room', async () => {
    const { lane, told } = setUp(value().bytes.length * 5);
    for (const key of ['/a', '/b', '/c', '/d']) await lane.commit(key, 'any', value());
    expect(told).not.toContain('nearly full');
    await lane.commit('/e', 'any', value());
    expect(told.filter((line) => line === 'nearly full')).toHaveLength(1);
    await expect(lane.commit('/f', 'any', value())).rejects.toMatchObject({ reason: 'ReadOnly' });
    expect(await lane.commit('/a', 'any', 'delete')).toMatchObject({ kind: 'committed' });
    expect(await lane.commit('/f', 'any', value())).toMatchObject({ kind: 'committed' });
  });

  it('ends the process when it is unknown whether a batch was written', async () => {
    const { log, lane, told } = setUp();
    log.failure = new Error('the flush failed');
    await expect(lane.commit('/a', 'any', value())).rejects.toMatchObject({
      reason: 'Unavailable',
    });
    log.failure = undefined;
    await expect(lane.commit('/a', 'any', value())).rejects.toMatchObject({
      reason: 'Unavailable',
    });
    expect(told).toEqual(['fatal']);
    expect(log.attempts).toBe(1);
  });
});
