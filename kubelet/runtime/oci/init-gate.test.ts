// The gate of a created container: one that went through it is never said to have ended before, however late this process comes to look,
// and is not signalled before its program is there.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { createLinuxSystem } from '../../../system/linux.ts';
import { anOciHost, sh } from '../../../test/support/oci-host.ts';
import { aContainer, aSandbox } from '../../../test/support/runtime-configs.ts';
import { until } from '../../../test/support/until.ts';
import { stopContainer } from './containers.ts';
import { type Context, identify } from './context.ts';
import type { Exits } from './exits.ts';
import { openGate, programBegun } from './init-gate.ts';
import { layoutFor } from './layout.ts';
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

describe('a signal waits for the program', () => {
  const stopped = { pid: 1, start: '1' };
  /** A container whose init is runc's own for so many looks; what waits for it makes time go by. */
  const loading = (looks: number) => {
    let looked = 0;
    let nowMs = 0;
    const read = (path: string) => {
      // What a program keeps in its memory may lie on a server that does not answer.
      expect(path).toBe('/proc/1/comm');
      return looked++ < looks ? 'runc:[2:INIT]\n' : 'sh\n';
    };
    const sleep = (ms: number) => Promise.resolve(void (nowMs += ms));
    const clock = { ...systemClock, sleep, monotonic: () => nowMs };
    return { system: { ...system, read, processStart: () => undefined }, clock };
  };

  it.each([
    [3, 30_000, 15],
    [Infinity, 30_000, 2_000],
    [Infinity, 1_000, 1_000],
  ])('for %s looks of a grace period of %s ms: %s ms', async (looks, graceMs, waitedMs) => {
    const doors = loading(looks);
    await programBegun(doors, stopped, graceMs);
    expect(doors.clock.monotonic()).toBe(waitedMs);
  });

  it('in the grace period of its end, not before it', async () => {
    const record = { id: 'c', phase: 'running', init: stopped, config: {} };
    const left: number[] = [];
    const exits = { check: () => record, wait: (_: string, ms: number) => left.push(ms) > 0 };
    const records = { containers: new Map([['c', record]]) };
    const images = { resolve: () => undefined };
    const context = { ...loading(100), records, images } as unknown as Context;
    await stopContainer(context, exits as unknown as Exits, { id: 'c', graceMs: 1_200 });
    expect(left).toEqual([700]);
  });

  it('while it is runc’s own by the name that runc gives it', async () => {
    const host = await anOciHost();
    try {
      const runtime = await host.start();
      const sandbox = aSandbox('a', { hostNetwork: true });
      const own = { imageId: host.shell.id, logPath: join(host.folder, 'l') };
      const config = aContainer({ name: 'main', command: sh('while :; do sleep 1; done'), ...own });
      const id = await runtime.createContainer(await runtime.runSandbox(sandbox), sandbox, config);
      const pidFile = layoutFor(host.stateDir, host.clusterId).container(id).pidFile;
      const init = identify(system, Number(system.read(pidFile)));
      if (!init) throw new Error('its init is gone');
      const { clock } = loading(0);
      await programBegun({ system, clock }, init, 50);
      expect(clock.monotonic()).toBe(50);
      await runtime.startContainer(id);
      await until(() => system.read(`/proc/${init.pid}/comm`) === 'sh\n');
      await programBegun({ system, clock }, init, 50);
      expect(clock.monotonic()).toBe(50);
    } finally {
      await host.dispose();
    }
  });
});
