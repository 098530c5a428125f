// The contract of ContainerRuntime: every runtime runs these tests against a host of its own.
// What a container does is told by a script, which real runtimes give to a shell and the fake one plays.
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  ContainerConfig,
  ContainerRuntime,
  ContainerStatus,
  RuntimeEvent,
  SandboxConfig,
} from '../../kubelet/runtime/runtime.ts';
import { RuntimeError, START_ERROR, START_ERROR_CODE } from '../../kubelet/runtime/runtime.ts';
import { aContainer, aSandbox } from '../support/runtime-configs.ts';

export { aContainer, aSandbox };

/** What a container of these tests does. */
export type Behaviour =
  /** Writes the line `ready` to its log, runs until it gets SIGTERM, then ends with this code. */
  | { readonly kind: 'obedient'; readonly exitCode: number }
  /** Ignores SIGTERM, and writes the line `ready` to its log once it does. */
  | { readonly kind: 'stubborn' }
  /** Writes a line to the log and a termination message, then ends. */
  | {
      readonly kind: 'ends';
      readonly exitCode: number;
      readonly log: string;
      readonly message: string;
    }
  /** Has a program that does not exist. */
  | { readonly kind: 'broken' };

/** A runtime under test. */
export interface RuntimeUnderTest {
  readonly runtime: ContainerRuntime;
  /** Network namespace for sandboxes; undefined to use the host's. */
  readonly netnsPath: string | undefined;
  /** Image and command for a behaviour. */
  container(behaviour: Behaviour): { imageId: string; command: readonly string[] };
  /** A path for a log file. */
  logPath(name: string): string;
  /** Ends everything; fails when something is left on the host. */
  dispose(): Promise<void>;
}

const CEILING_MS = 30_000;

/** Waits for events of a runtime; begins to listen at once. */
export function listenTo(runtime: ContainerRuntime): {
  next(kind: RuntimeEvent['kind'], containerId: string): Promise<RuntimeEvent>;
  stop(): void;
} {
  const seen: RuntimeEvent[] = [];
  const waiting = new Set<() => void>();
  const control = new AbortController();
  runtime.subscribe((event) => {
    seen.push(event);
    for (const wake of waiting) wake();
  }, control.signal);
  return {
    next: (kind, containerId) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const event = seen.find((one) => one.kind === kind && one.containerId === containerId);
          if (!event) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(event);
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`no ${kind} of ${containerId}; seen: ${JSON.stringify(seen)}`));
        }, CEILING_MS);
        waiting.add(look);
        look();
      }),
    stop: () => control.abort(),
  };
}

/** A signal that comes before a program has its handler is lost, or ends what starts the program: the tests wait for the handler. */
async function untilReady(logPath: string): Promise<void> {
  await vi.waitFor(() => expect(readFileSync(logPath, 'utf8')).toMatch(/ ready$/m), {
    timeout: CEILING_MS,
    interval: 5,
  });
}

/** Runs the contract. `make` is called for each test. */
export function runtimeContract(name: string, make: () => Promise<RuntimeUnderTest>): void {
  describe(`container runtime: ${name}`, () => {
    let under: RuntimeUnderTest;
    let runtime: ContainerRuntime;
    let events: ReturnType<typeof listenTo>;

    beforeEach(async () => {
      under = await make();
      runtime = under.runtime;
      events = listenTo(runtime);
    });
    afterEach(async () => {
      events.stop();
      await under.dispose();
    });

    const sandboxFor = (podUid: string, parts: Partial<SandboxConfig> = {}) =>
      aSandbox(podUid, { netnsPath: under.netnsPath, hostNetwork: !under.netnsPath, ...parts });

    const containerFor = (behaviour: Behaviour, parts: Partial<ContainerConfig> = {}) => {
      const containerName = parts.name ?? 'main';
      const { imageId, command } = under.container(behaviour);
      const logPath = under.logPath(containerName);
      return aContainer({ imageId, command, logPath, ...parts, name: containerName });
    };

    /** A sandbox with one started container. */
    const run = async (behaviour: Behaviour, podUid = 'a') => {
      const sandbox = sandboxFor(podUid);
      const sandboxId = await runtime.runSandbox(sandbox);
      const config = containerFor(behaviour);
      const id = await runtime.createContainer(sandboxId, sandbox, config);
      await runtime.startContainer(id);
      if (behaviour.kind === 'obedient' || behaviour.kind === 'stubborn')
        await untilReady(config.logPath);
      return { sandbox, sandboxId, config, id };
    };

    const statusOf = async (id: string): Promise<ContainerStatus> => {
      const status = await runtime.containerStatus(id);
      if (!status) throw new Error(`no status of ${id}`);
      return status;
    };

    it('takes a container from created to running to exited', async () => {
      const sandbox = sandboxFor('a');
      const sandboxId = await runtime.runSandbox(sandbox);
      const config = containerFor({ kind: 'obedient', exitCode: 7 });
      const id = await runtime.createContainer(sandboxId, sandbox, config);
      expect(await statusOf(id)).toMatchObject({ state: 'created', startedAtMs: undefined });
      await runtime.startContainer(id);
      await events.next('started', id);
      const running = await statusOf(id);
      expect(running).toMatchObject({ state: 'running', name: 'main', sandboxId, podUid: 'a' });
      expect(running.pid).toBeGreaterThan(0);
      await untilReady(config.logPath);
      await runtime.stopContainer(id, CEILING_MS);
      const ended = await statusOf(id);
      expect(ended).toMatchObject({ state: 'exited', exitCode: 7, reason: 'Error' });
      expect(ended.finishedAtMs).toBeGreaterThanOrEqual(running.startedAtMs ?? Infinity);
    });

    it('tells exit code, message, log and event of a container that ends by itself', async () => {
      const behaviour = { kind: 'ends', exitCode: 3, log: 'a line', message: 'why' } as const;
      const { id, config } = await run(behaviour);
      await events.next('exited', id);
      const status = await statusOf(id);
      expect(status).toMatchObject({ state: 'exited', exitCode: 3, reason: 'Error' });
      expect(status.message?.trim()).toBe('why');
      expect(status.startedAtMs).toBeGreaterThan(0);
      expect(readFileSync(config.logPath, 'utf8')).toMatch(/^\S+ stdout F a line$/m);
    });

    it('calls an end with 0 completed', async () => {
      const { id } = await run({ kind: 'ends', exitCode: 0, log: 'x', message: '' });
      await events.next('exited', id);
      expect(await statusOf(id)).toMatchObject({ exitCode: 0, reason: 'Completed' });
    });

    it('kills a container that does not heed its stop signal', async () => {
      const { id } = await run({ kind: 'stubborn' });
      await runtime.stopContainer(id, 50);
      expect(await statusOf(id)).toMatchObject({ state: 'exited', exitCode: 137 });
    });

    it('comes to the same end when verbs are repeated', async () => {
      const { sandbox, sandboxId, config, id } = await run({ kind: 'obedient', exitCode: 0 });
      expect(await runtime.runSandbox(sandbox)).toBe(sandboxId);
      expect(await runtime.createContainer(sandboxId, sandbox, config)).toBe(id);
      await runtime.startContainer(id);
      expect(await runtime.listContainers()).toHaveLength(1);
      await runtime.stopContainer(id, CEILING_MS);
      await runtime.stopContainer(id, CEILING_MS);
      await runtime.removeContainer(id);
      await runtime.removeContainer(id);
      expect(await runtime.containerStatus(id)).toBeUndefined();
      await runtime.stopSandbox(sandboxId);
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
      expect(await runtime.listSandboxes()).toEqual([]);
    });

    it('lists all, or what one pod has', async () => {
      const { sandbox, id } = await run({ kind: 'obedient', exitCode: 0 });
      const other = { ...sandbox, podUid: `${sandbox.podUid}-other` };
      const otherId = await runtime.runSandbox(other);
      expect(await runtime.listSandboxes()).toHaveLength(2);
      expect(await runtime.listSandboxes(other.podUid)).toMatchObject([{ id: otherId }]);
      expect(await runtime.listContainers(other.podUid)).toEqual([]);
      expect(await runtime.listContainers(sandbox.podUid)).toMatchObject([{ id }]);
    });

    it('makes a new container for each attempt', async () => {
      const { sandbox, sandboxId, config, id } = await run({
        kind: 'ends',
        exitCode: 1,
        log: 'x',
        message: '',
      });
      await events.next('exited', id);
      const next = { ...config, attempt: 1 };
      const second = await runtime.createContainer(sandboxId, sandbox, next);
      expect(second).not.toBe(id);
      expect((await runtime.listContainers()).map(({ attempt }) => `${attempt}`).sort()).toEqual([
        '0',
        '1',
      ]);
    });

    it('changes limits of what runs, up, down and away, and it runs on', async () => {
      const { id, sandboxId } = await run({ kind: 'obedient', exitCode: 0 });
      const sizes = [
        { cpuShares: 512, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000, memoryLimitBytes: 2 ** 27 },
        { cpuShares: 64, cpuQuotaUs: 20_000, cpuPeriodUs: 100_000, memoryLimitBytes: 2 ** 26 },
        { cpuShares: 2 },
      ];
      for (const size of sizes) {
        await runtime.updateSandboxResources(sandboxId, {});
        await runtime.updateContainerResources(id, size);
        await runtime.updateContainerResources(id, size);
        await runtime.updateSandboxResources(sandboxId, size);
      }
      expect(await runtime.containerStatus(id)).toMatchObject({ state: 'running' });
      await runtime.stopContainer(id, CEILING_MS);
      await expect(runtime.updateContainerResources(id, {})).rejects.toMatchObject({
        reason: 'NotRunning',
      });
    });

    it('gives back the annotations that it was given', async () => {
      const sandbox = sandboxFor('a');
      const sandboxId = await runtime.runSandbox(sandbox);
      const annotations = { 'spec-hash': 'abc' };
      const config = containerFor({ kind: 'obedient', exitCode: 0 }, { annotations });
      await runtime.createContainer(sandboxId, sandbox, config);
      expect(await runtime.listContainers()).toMatchObject([{ annotations, state: 'created' }]);
    });

    it('cannot start a program that is not there: the container has ended with StartError', async () => {
      const sandbox = sandboxFor('a');
      const sandboxId = await runtime.runSandbox(sandbox);
      const config = containerFor({ kind: 'broken' });
      const id = await runtime.createContainer(sandboxId, sandbox, config);
      for (const _again of [1, 2])
        await expect(runtime.startContainer(id)).rejects.toMatchObject({ reason: START_ERROR });
      const left = await runtime.listContainers();
      expect(left).toMatchObject([
        {
          id,
          state: 'exited',
          exitCode: START_ERROR_CODE,
          reason: START_ERROR,
          startedAtMs: undefined,
          message: expect.stringMatching(/./) as string,
          finishedAtMs: expect.any(Number) as number,
        },
      ]);
      await runtime.stopContainer(id, 1_000);
      await runtime.removeContainer(id);
      expect(await runtime.listContainers()).toEqual([]);
    });

    it('refuses an image that is not present', async () => {
      const sandbox = sandboxFor('a');
      const sandboxId = await runtime.runSandbox(sandbox);
      const imageId = `sha256:${'0'.repeat(64)}`;
      const config = containerFor({ kind: 'obedient', exitCode: 0 }, { imageId });
      const creating = runtime.createContainer(sandboxId, sandbox, config);
      await expect(creating).rejects.toBeInstanceOf(RuntimeError);
      expect(await runtime.listContainers()).toEqual([]);
    });

    it('ends the containers of a sandbox that is stopped', async () => {
      const { id, sandboxId } = await run({ kind: 'stubborn' });
      await runtime.stopSandbox(sandboxId);
      expect(await statusOf(id)).toMatchObject({ state: 'exited', exitCode: 137 });
      expect(await runtime.listSandboxes()).toMatchObject([{ id: sandboxId, state: 'notready' }]);
    });

    it('runs the containers of several pods at once', async () => {
      const pods = await Promise.all(
        ['a', 'b', 'c'].map((uid) => run({ kind: 'obedient', exitCode: 0 }, uid)),
      );
      const list = await runtime.listContainers();
      expect(list.map(({ podUid }) => podUid).sort()).toEqual(['a', 'b', 'c']);
      expect(list.every(({ state }) => state === 'running')).toBe(true);
      const stats = await runtime.stats();
      expect(stats.map(({ containerId }) => containerId).sort()).toEqual(
        pods.map(({ id }) => id).sort(),
      );
    });

    it('gives figures of running containers only, and of the node', async () => {
      const { id } = await run({ kind: 'obedient', exitCode: 0 });
      const [figures] = await runtime.stats();
      expect(figures).toMatchObject({ containerId: id, podUid: 'a', name: 'main' });
      expect(figures?.memoryWorkingSetBytes).toBeGreaterThan(0);
      expect(runtime.nodeStats().cpuUsageNs).toBeGreaterThan(0n);
      expect(runtime.nodeStats().memoryWorkingSetBytes).toBeGreaterThan(0);
      await runtime.stopContainer(id, CEILING_MS);
      expect(await runtime.stats()).toEqual([]);
    });

    it('refuses commands in a container that does not run', async () => {
      const { id } = await run({ kind: 'obedient', exitCode: 0 });
      await runtime.stopContainer(id, CEILING_MS);
      await expect(runtime.execSync(id, ['true'], 1000)).rejects.toBeInstanceOf(RuntimeError);
    });

    it('tells nobody after the subscription has ended', async () => {
      const told: RuntimeEvent[] = [];
      const control = new AbortController();
      runtime.subscribe((event) => told.push(event), control.signal);
      control.abort();
      const { id } = await run({ kind: 'obedient', exitCode: 0 });
      await events.next('started', id);
      expect(told).toEqual([]);
      expect(existsSync(under.logPath('main'))).toBe(true);
    });
  });
}
