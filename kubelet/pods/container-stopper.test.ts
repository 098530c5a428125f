// Tests of how containers are stopped, on virtual time: hook, turn and signal within one grace period.
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Container, Lifecycle } from '../../api/generated/types.ts';
import { aContainer as aConfig, aSandbox } from '../../test/contracts/runtime.ts';
import { networkProbes } from '../probes/probe-action.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import type { Life } from '../runtime/fake/life.ts';
import { RuntimeError } from '../runtime/runtime.ts';
import { ContainerStopper, type StopOrder } from './container-stopper.ts';
import { aContainer, aPod } from './fixtures/pod-scenes.ts';
import type { WorkerParts } from './worker-parts.ts';

const SECOND = 1_000;

let clock: VirtualClock;
let runtime: FakeRuntime;
let life: Life;
let stopper: ContainerStopper;
let told: string[];
let hooks: number;
let id: string;
let begun: number;
let imageId: string;

beforeEach(async () => {
  clock = new VirtualClock();
  const images = new FakeImageStore();
  imageId = images.add('app').id;
  life = {};
  told = [];
  hooks = 0;
  const exec = () => {
    hooks += 1;
    return { exitCode: 0 };
  };
  runtime = new FakeRuntime({ clock, images, lifeOf: () => ({ ...life, exec }) });
  const options = { runtime, clock, logger: silentLogger, host: { probes: networkProbes } };
  const events = { event: (_: unknown, note: { message: string }) => told.push(note.message) };
  stopper = new ContainerStopper({ options, events } as unknown as WorkerParts, () => undefined);
});

async function start(how: Life = {}): Promise<void> {
  life = how;
  const sandbox = aSandbox('p');
  const sandboxId = await runtime.runSandbox(sandbox);
  const config = aConfig({ name: 'app', imageId, command: [], logPath: '' });
  id = await runtime.createContainer(sandboxId, sandbox, config);
  await runtime.startContainer(id);
  begun = clock.now();
}

async function stop(parts: Partial<StopOrder> & { lifecycle?: Lifecycle } = {}): Promise<void> {
  const { lifecycle, ...order } = parts;
  const status = await runtime.containerStatus(id);
  if (!status) throw new Error('the container is there');
  const container: Container = aContainer('app', lifecycle ? { lifecycle } : {});
  stopper.stop({ pod: aPod(), container, status, graceMs: 30 * SECOND, podIp: '', ...order });
}

/** Seconds from the start to its end, and its code; undefined while it runs. */
function end(): [number, number | undefined] | undefined {
  const status = runtime.look(id)?.status;
  if (status?.state !== 'exited') return undefined;
  return [((status.finishedAtMs ?? 0) - begun) / SECOND, status.exitCode];
}

const sleeps = (seconds: number): Lifecycle => ({ preStop: { sleep: { seconds } } });
const runs: Lifecycle = { preStop: { exec: { command: ['bye'] } } };

describe('a container that is stopped', () => {
  it('gets its signal at once, and SIGKILL when its grace is over', async () => {
    await start({ stubborn: true });
    await stop({ graceMs: 10 * SECOND });
    await clock.advance(9.9 * SECOND);
    expect(end()).toBeUndefined();
    await clock.advance(SECOND);
    expect(end()).toEqual([10, 137]);
  });

  it('is killed at once without any grace, and without its hook', async () => {
    await start({ stubborn: true });
    await stop({ graceMs: 0, lifecycle: runs });
    await clock.advance(0);
    expect([end(), hooks]).toEqual([[0, 137], 0]);
  });

  it('has its hook within its grace', async () => {
    await start({ stubborn: true });
    await stop({ graceMs: 10 * SECOND, lifecycle: sleeps(4) });
    await clock.advance(60 * SECOND);
    expect(end()).toEqual([10, 137]);
  });

  it('has two seconds left where its hook takes all of it, which is not told', async () => {
    await start({ stubborn: true });
    await stop({ graceMs: 5 * SECOND, lifecycle: sleeps(60) });
    await clock.advance(60 * SECOND);
    expect([end(), told]).toEqual([[7, 137], []]);
  });

  it('is stopped all the same where its hook fails, which is told without the reason', async () => {
    await start();
    runtime.failNext('execSync', new RuntimeError('ExecError', 'the secret is 42'));
    await stop({ lifecycle: runs });
    await clock.advance(0);
    expect([end(), told]).toEqual([[0, 0], ['PreStopHook failed']]);
  });

  it('waits for its turn with the signal, not with the hook', async () => {
    await start();
    await stop({ lifecycle: runs, waits: true });
    await clock.advance(10 * SECOND);
    expect([end(), hooks]).toEqual([undefined, 1]);
    stopper.turn(id);
    await clock.advance(0);
    expect(end()).toEqual([10, 0]);
  });

  it('waits no longer than the grace lasts, and has two seconds then', async () => {
    await start({ stubborn: true });
    await stop({ graceMs: 10 * SECOND, waits: true });
    await clock.advance(60 * SECOND);
    expect(end()).toEqual([12, 137]);
  });

  it('is hurried by a shorter grace, whatever it waits for, and has no hook again', async () => {
    await start({ stubborn: true });
    await stop({ lifecycle: runs, waits: true });
    await clock.advance(3 * SECOND);
    await stop({ graceMs: 4 * SECOND, lifecycle: runs, waits: true });
    await clock.advance(60 * SECOND);
    expect([end(), hooks]).toEqual([[9, 137], 1]);
  });

  it('is not slowed by a longer one', async () => {
    await start({ stubborn: true });
    await stop({ graceMs: 5 * SECOND });
    await stop({ graceMs: 50 * SECOND });
    await clock.advance(60 * SECOND);
    expect([end(), stopper.has(id)]).toEqual([[5, 137], false]);
  });
});
