// A ContainerRuntime without containers: scripted lives in memory, on a Clock. For tests, and for nodes at scale.
// Invariants: keeps the runtime contract; outlives the agents that use it, as real containers do.
import { PassThrough } from 'node:stream';
import type { Clock, Timer } from '../../../base/clock.ts';
import { formatTime } from '../../../api/meta/time.ts';
import {
  type ContainerConfig,
  type ContainerRuntime,
  type ContainerStats,
  type ContainerStatus,
  type ExecResult,
  type ExecSession,
  type ImageStore,
  type LinuxResources,
  RuntimeError,
  type RuntimeEvent,
  type SandboxConfig,
  type SandboxStatus,
  START_ERROR,
  START_ERROR_CODE,
} from '../runtime.ts';
import { type Life, STEADY } from './life.ts';
import type { LogWriter } from './log-writer.ts';
import { cpuOf, memoryOf, type Moment, type UsedCpu, writtenOf } from './use.ts';

/** What a fake runtime is made from. */
export interface FakeRuntimeOptions {
  readonly clock: Clock;
  readonly images: ImageStore;
  /** The life of a container that is created; steady unless given. */
  readonly lifeOf?: (config: ContainerConfig, sandbox: SandboxConfig) => Life;
  /** Where logs are written; nowhere unless given. */
  readonly logs?: LogWriter;
}

interface Container {
  status: ContainerStatus;
  readonly life: Life;
  cpu: UsedCpu;
  readonly timers: Set<Timer>;
  readonly ended: PromiseWithResolvers<void>;
}

const KILLED = 137;
const FIRST_PID = 1000;
const OWN_MEMORY_BYTES = 16 * 1024 * 1024;
const OWN_NANO_CORES = 1_000_000n;

/** The runtime. Everything a test does to it from outside is a public method beside the contract's. */
export class FakeRuntime implements ContainerRuntime {
  readonly info = { name: 'fake', version: '1' };
  readonly #options: FakeRuntimeOptions;
  readonly #sandboxes = new Map<string, SandboxStatus>();
  readonly #containers = new Map<string, Container>();
  readonly #handlers = new Set<(event: RuntimeEvent) => void>();
  readonly #failures = new Map<string, Error[]>();
  /** Calls so far, by verb. */
  readonly calls = new Map<string, number>();
  /** Limits that were changed, by id of container or sandbox. */
  readonly resources = new Map<string, LinuxResources>();
  #ids = 0;
  /** What containers that are gone have used. */
  #pastCpuNs = 0n;

  constructor(options: FakeRuntimeOptions) {
    this.#options = options;
  }

  /** The next call of that verb fails so. */
  failNext(verb: keyof ContainerRuntime, error: Error): void {
    this.#failures.set(verb, [...(this.#failures.get(verb) ?? []), error]);
  }

  /** A running container ends by itself, now. */
  crash(id: string, exitCode: number, reason?: string): void {
    const container = this.#containers.get(id);
    if (container?.status.state === 'running') this.#exit(container, exitCode, reason);
  }

  /** The sandbox dies under its pod, as after a reboot. */
  loseSandbox(id: string): void {
    this.#endSandbox(id);
  }

  /** A container and how it was made to live; undefined for one that is not there. */
  look(id: string): { readonly status: ContainerStatus; readonly life: Life } | undefined {
    return this.#containers.get(id);
  }

  /** The host's power goes, and comes back: nothing runs any more, and nobody is told. */
  losePower(): void {
    for (const sandbox of this.#sandboxes.values())
      this.#sandboxes.set(sandbox.id, { ...sandbox, state: 'notready' });
    for (const container of this.#containers.values()) {
      if (container.status.state === 'exited') continue;
      this.#end(container, KILLED);
      container.status = { ...container.status, endUnseen: true };
    }
  }

  async runSandbox(config: SandboxConfig): Promise<string> {
    this.#called('runSandbox');
    for (const { id, podUid, attempt, state } of this.#sandboxes.values())
      if (podUid === config.podUid && attempt === config.attempt && state === 'ready') return id;
    const id = this.#newId('sandbox');
    this.#sandboxes.set(id, {
      id,
      podUid: config.podUid,
      namespace: config.namespace,
      name: config.name,
      attempt: config.attempt,
      state: 'ready',
      netnsPath: config.netnsPath,
      createdAtMs: this.#options.clock.now(),
    });
    return id;
  }

  async stopSandbox(id: string): Promise<void> {
    this.#called('stopSandbox');
    this.#endSandbox(id);
  }

  async removeSandbox(id: string): Promise<void> {
    this.#called('removeSandbox');
    this.#endSandbox(id);
    for (const container of this.#of(id)) await this.removeContainer(container.status.id);
    this.#sandboxes.delete(id);
  }

  async listSandboxes(podUid?: string): Promise<readonly SandboxStatus[]> {
    return [...this.#sandboxes.values()].filter(ofPod(podUid));
  }

  async createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
  ): Promise<string> {
    this.#called('createContainer');
    const known = this.#of(sandboxId).find(
      ({ status }) => status.name === config.name && status.attempt === config.attempt,
    );
    if (known) return known.status.id;
    if (this.#sandboxes.get(sandboxId)?.state !== 'ready')
      throw new RuntimeError('CreateContainerError', `the sandbox ${sandboxId} is not ready`);
    if (!(await this.#options.images.resolve(config.imageId)))
      throw new RuntimeError('ErrImageNeverPull', `no image ${config.imageId}`);
    const life = this.#options.lifeOf?.(config, sandbox) ?? STEADY;
    if (life.broken && life.broken.reason !== START_ERROR)
      throw new RuntimeError(life.broken.reason, life.broken.message);
    const id = this.#newId('container');
    this.#containers.set(id, {
      status: {
        id,
        sandboxId,
        podUid: sandbox.podUid,
        name: config.name,
        attempt: config.attempt,
        imageId: config.imageId,
        state: 'created',
        pid: undefined,
        createdAtMs: this.#options.clock.now(),
        startedAtMs: undefined,
        finishedAtMs: undefined,
        exitCode: undefined,
        reason: undefined,
        message: undefined,
        logPath: config.logPath,
        annotations: config.annotations,
      },
      life,
      cpu: { ns: 0n, atMs: this.#options.clock.now() },
      timers: new Set(),
      ended: Promise.withResolvers(),
    });
    return id;
  }

  async startContainer(id: string): Promise<void> {
    this.#called('startContainer');
    const container = this.#get(id);
    const { broken } = container.life;
    if (broken) this.#refuseStart(container, broken.message);
    if (container.status.state !== 'created') return;
    const { clock } = this.#options;
    this.#writeLog(container);
    container.cpu = { ns: 0n, atMs: clock.now() };
    container.status = {
      ...container.status,
      state: 'running',
      pid: FIRST_PID + this.#ids++,
      startedAtMs: clock.now(),
    };
    this.#emit('started', container);
    const { exitAfterMs, exitCode = 0 } = container.life;
    if (exitAfterMs !== undefined) this.#later(container, exitAfterMs, exitCode);
  }

  /** Its program cannot be run: it has ended without having begun. */
  #refuseStart(container: Container, message: string): never {
    const finishedAtMs = this.#options.clock.now();
    const end = { finishedAtMs, exitCode: START_ERROR_CODE, reason: START_ERROR, message };
    container.status = { ...container.status, ...end, state: 'exited' };
    this.#emit('exited', container);
    throw new RuntimeError(START_ERROR, message);
  }

  async updateContainerResources(id: string, resources: LinuxResources): Promise<void> {
    this.#called('updateContainerResources');
    if (this.#get(id).status.state !== 'running')
      throw new RuntimeError('NotRunning', `container ${id} is not running`);
    this.resources.set(id, resources);
  }

  async updateSandboxResources(id: string, resources: LinuxResources): Promise<void> {
    this.#called('updateSandboxResources');
    if (!this.#sandboxes.has(id)) throw new RuntimeError('NotFound', `there is no sandbox ${id}`);
    this.resources.set(id, resources);
  }

  async stopContainer(id: string, graceMs: number): Promise<void> {
    this.#called('stopContainer');
    const container = this.#containers.get(id);
    if (!container || container.status.state === 'exited') return;
    if (container.status.state === 'created') {
      this.#exit(container, KILLED);
      return;
    }
    const { stubborn, stopMs = 0, exitCode = 0 } = container.life;
    if (graceMs <= 0) this.#exit(container, KILLED);
    else if (stubborn || stopMs > graceMs) this.#later(container, graceMs, KILLED);
    else if (stopMs === 0) this.#exit(container, exitCode);
    else this.#later(container, stopMs, exitCode);
    await container.ended.promise;
  }

  async removeContainer(id: string): Promise<void> {
    this.#called('removeContainer');
    const container = this.#containers.get(id);
    if (!container) return;
    if (container.status.state !== 'exited') this.#exit(container, KILLED);
    this.#pastCpuNs += container.cpu.ns;
    this.#containers.delete(id);
  }

  async listContainers(podUid?: string): Promise<readonly ContainerStatus[]> {
    return Array.from(this.#containers.values(), ({ status }) => status).filter(ofPod(podUid));
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    return this.#containers.get(id)?.status;
  }

  async execSync(id: string, command: readonly string[]): Promise<ExecResult> {
    this.#called('execSync');
    const { exitCode, stdout = '' } = this.#run(id, command);
    return { exitCode, stdout: Buffer.from(stdout), stderr: new Uint8Array() };
  }

  async exec(
    id: string,
    options: { command: readonly string[]; tty: boolean; stdin: boolean },
  ): Promise<ExecSession> {
    this.#called('exec');
    const { exitCode, stdout: text = '' } = this.#run(id, options.command);
    const stdin = options.stdin ? new PassThrough() : undefined;
    const stdout = new PassThrough();
    const exit = Promise.withResolvers<number>();
    const finish = () => {
      stdout.end();
      exit.resolve(exitCode);
    };
    stdout.write(text);
    // With stdin it is an echo, which ends when its input does.
    if (stdin) stdin.on('data', (data) => stdout.write(data)).once('end', finish);
    else finish();
    return {
      stdin,
      stdout,
      stderr: options.tty ? undefined : new PassThrough().end(),
      resize: () => undefined,
      exit: exit.promise,
      kill: () => {
        stdout.end();
        exit.resolve(KILLED);
      },
    };
  }

  attach(id: string, options: { stdin: boolean }): Promise<ExecSession> {
    return this.exec(id, { command: [], tty: false, stdin: options.stdin });
  }

  async stats(): Promise<readonly ContainerStats[]> {
    const now = this.#options.clock.now();
    return [...this.#containers.values()]
      .filter(({ status }) => status.state === 'running')
      .map((container) => {
        const { status, life } = container;
        const memoryBytes = memoryOf(life, momentOf(status, now));
        return {
          containerId: status.id,
          podUid: status.podUid,
          name: status.name,
          timestampMs: now,
          cpuUsageNs: this.#cpuUsed(container),
          memoryWorkingSetBytes: memoryBytes,
          memoryUsageBytes: memoryBytes,
          pids: 1,
        };
      });
  }

  writableLayers(
    ids: readonly string[],
    unit: 'bytes' | 'inodes',
  ): Promise<ReadonlyMap<string, number>> {
    const now = this.#options.clock.now();
    const sizes = ids.flatMap((id): [string, number][] => {
      const container = this.#containers.get(id);
      if (!container) return [];
      const bytes = writtenOf(container.life, momentOf(container.status, now));
      return [[id, unit === 'bytes' ? bytes : 1]];
    });
    return Promise.resolve(new Map(sizes));
  }

  nodeStats(): { timestampMs: number; cpuUsageNs: bigint; memoryWorkingSetBytes: number } {
    const now = this.#options.clock.now();
    let memoryWorkingSetBytes = OWN_MEMORY_BYTES;
    let cpuUsageNs = this.#pastCpuNs + (OWN_NANO_CORES * BigInt(Math.floor(now))) / 1000n;
    for (const container of this.#containers.values()) {
      cpuUsageNs += this.#cpuUsed(container);
      if (container.status.state === 'running')
        memoryWorkingSetBytes += memoryOf(container.life, momentOf(container.status, now));
    }
    return { timestampMs: now, cpuUsageNs, memoryWorkingSetBytes };
  }

  async reopenLog(id: string): Promise<void> {
    this.#called('reopenLog');
    this.#options.logs?.begin(this.#get(id).status.logPath);
  }

  subscribe(handler: (event: RuntimeEvent) => void, signal: AbortSignal): void {
    const own = (event: RuntimeEvent) => handler(event);
    this.#handlers.add(own);
    signal.addEventListener('abort', () => this.#handlers.delete(own), { once: true });
  }

  #newId(kind: string): string {
    return `${kind}-${++this.#ids}`;
  }

  #of(sandboxId: string): Container[] {
    return [...this.#containers.values()].filter(({ status }) => status.sandboxId === sandboxId);
  }

  #get(id: string): Container {
    const container = this.#containers.get(id);
    if (!container) throw new RuntimeError('ContainerNotFound', `there is no container ${id}`);
    return container;
  }

  #called(verb: keyof ContainerRuntime): void {
    this.calls.set(verb, (this.calls.get(verb) ?? 0) + 1);
    const error = this.#failures.get(verb)?.shift();
    if (error) throw error;
  }

  #run(id: string, command: readonly string[]): { exitCode: number; stdout?: string } {
    const { status, life } = this.#get(id);
    if (status.state !== 'running')
      throw new RuntimeError('ExecError', `container ${id} is not running`);
    return life.exec?.(command) ?? { exitCode: 0 };
  }

  #endSandbox(id: string): void {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox || sandbox.state === 'notready') return;
    this.#sandboxes.set(id, { ...sandbox, state: 'notready' });
    for (const container of this.#of(id))
      if (container.status.state !== 'exited') this.#exit(container, KILLED);
  }

  #later(container: Container, ms: number, exitCode: number): void {
    const timer = this.#options.clock.timer(ms, () => this.#exit(container, exitCode));
    container.timers.add(timer);
  }

  #exit(container: Container, exitCode: number, reason?: string): void {
    if (container.status.state === 'exited') return;
    this.#end(container, exitCode, reason);
    this.#emit('exited', container);
  }

  #end(container: Container, exitCode: number, reason?: string): void {
    for (const timer of container.timers) timer.cancel();
    this.#cpuUsed(container);
    container.status = {
      ...container.status,
      state: 'exited',
      pid: undefined,
      finishedAtMs: this.#options.clock.now(),
      exitCode,
      reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
      message: container.life.message || undefined,
    };
    container.ended.resolve();
  }

  /** What it has used until now, or until its end. */
  #cpuUsed(container: Container): bigint {
    if (container.status.state === 'running') {
      const at = momentOf(container.status, this.#options.clock.now());
      container.cpu = cpuOf(container.life, container.cpu, at);
    }
    return container.cpu.ns;
  }

  /** Told after the caller's turn, as real events are. */
  #emit(kind: RuntimeEvent['kind'], { status }: Container): void {
    const event = { kind, containerId: status.id, podUid: status.podUid };
    queueMicrotask(() => {
      for (const handler of this.#handlers) handler(event);
    });
  }

  #writeLog(container: Container): void {
    const { logs, clock } = this.#options;
    if (!logs) return;
    const { status, life } = container;
    const write = (line: string) =>
      logs.append(status.logPath, `${formatTime(clock.now())} stdout F ${line}`);
    logs.begin(status.logPath);
    for (const each of life.log ?? [])
      if (typeof each === 'string') write(each);
      else container.timers.add(clock.timer(each.atMs, () => write(each.line)));
  }
}

function momentOf({ startedAtMs }: ContainerStatus, nowMs: number): Moment {
  return { nowMs, startedAtMs: startedAtMs ?? nowMs };
}

/** All pass where no pod is named. */
function ofPod(podUid: string | undefined): (each: { readonly podUid: string }) => boolean {
  return (each) => podUid === undefined || each.podUid === podUid;
}
