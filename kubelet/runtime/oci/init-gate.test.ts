// The gate of a created container: one that went through it is never said to have ended before, however late this process comes to look,
// and is not signalled before its program is there.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { createLinuxSystem } from '../../../system/linux.ts';
import { type Context, identify } from './context.ts';
import { openGate, programBegun } from './init-gate.ts';
import type { ContainerRecord } from './records.ts';

const system = createLinuxSystem();
let runcRoot: string;
beforeEach(() => {
  runcRoot = mkdtempSync(join(tmpdir(), 'pinnace-gate-'));
});
afterEach(() => rmSync(runcRoot, { recursive: true, force: true }));

/** Nothing of this process goes on meanwhile, as on a host that is busy with others. */
const stall = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

it('a program that ran and ended while this process was held up has begun', async () => {
  const context = { system, clock: systemClock, layout: { runcRoot } } as unknown as Context;
  const fifo = join(runcRoot, 'c', 'exec.fifo');
  mkdirSync(join(runcRoot, 'c'));
  await system.run('mkfifo', [fifo]);
  // It waits for a reader, as runc's init does, says that it goes on, and is gone.
  const init = system.spawn('sh', ['-c', `printf 0 > ${fifo}`], { stdio: 'ignore' });
  const identity = identify(system, init.pid ?? 0);
  const record = { id: 'c', init: identity } as ContainerRecord;
  const opening = openGate(context, record);
  stall(500);
  await expect(opening).resolves.toBeUndefined();
  expect(system.exists(fifo)).toBe(false);
});

it.each([
  [3, 3],
  [Infinity, 400],
])(
  'a signal waits for the program while runc is there %s times, and looks %s times at most',
  async (loads, looks) => {
    let looked = 0;
    let slept = 0;
    const read = () => (looked++ < loads ? 'runc\0init\0' : 'sh\0');
    const sleep = () => Promise.resolve(void slept++);
    const doors = { system: { ...system, read }, clock: { ...systemClock, sleep } };
    await programBegun(doors, { pid: 1, start: '1' });
    expect(slept).toBe(looks);
  },
);
