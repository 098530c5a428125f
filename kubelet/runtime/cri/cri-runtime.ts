// ContainerRuntime over CRI: containerd, CRI-O. This file routes the verbs; what they say stands in the files beside it.
// Invariants: verbs that make or remove the same thing run one after the other; lists are answered from the view, without a call;
// nothing here keeps containers alive or ends them when it stops.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import { Turns } from '../../../base/turns.ts';
import { type Cgroups, createCgroups } from '../../../system/cgroups.ts';
import type { System } from '../../../system/system.ts';
import { removeCgroup } from '../oci/cgroup-removal.ts';
import { cpuUsageOf, workingSetOf } from '../oci/node-stats.ts';
import { ContainerUsages } from '../container-usages.ts';
import { limitPodsTogether } from '../pods-limits.ts';
import {
  type ContainerConfig,
  type ContainerRuntime,
  type ContainerStats,
  type ContainerStatus,
  type ExecResult,
  type ExecSession,
  type LinuxResources,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeFeatures,
  type SandboxConfig,
  type SandboxStatus,
  START_ERROR,
} from '../runtime.ts';
import type { CniPlugin } from './cni-plugin.ts';
import { containerGroup } from './container-group.ts';
import { containerMessage, type ImageUser } from './container-message.ts';
import { CriCommands } from './commands.ts';
import { failingAs, messageOf, unlessGone } from './failures.ts';
import { CALL_TIMEOUT_MS, connectGrpc, type GrpcConnection } from './grpc.ts';
import { featuresOf, problemOf, refuseSystemd, runtimeDown } from './health.ts';
import { LifecycleEvents } from './lifecycle-events.ts';
import { endedBySignal } from './own-signal.ts';
import { PodFiles } from './pod-files.ts';
import { resourcesMessage, sandboxMessage } from './sandbox-message.ts';
import { IMAGES, RUNTIME } from './services.ts';
import { refuseContainer } from './unsupported.ts';
import { type KnownContainer, RuntimeView } from './view.ts';
import { writableLayersOf } from './writable-layers.ts';

/** What the runtime is made with. */
export interface CriRuntimeOptions {
  readonly system: System;
  readonly clock: Clock;
  readonly logger: Logger;
  /** As upstream's flag has it: `unix:///run/containerd/containerd.sock`. */
  readonly endpoint: string;
  /** Files of pods lie here, kept between runs. */
  readonly stateDir: string;
  /** Whose the sandboxes are; also in names of cgroups. */
  readonly clusterId: string;
  /** How sandboxes come into the pod network. */
  readonly plugin: CniPlugin;
  /** The address of a pod that is attached. */
  readonly addressOf: (podUid: string) => string | undefined;
}

/** The contract, and what the agent's start and end need besides. */
export interface CriRuntime extends ContainerRuntime {
  /** Connects and finds everything again. Call it once, before any other verb. Rejects when the runtime cannot be used. */
  recover(): Promise<void>;
  /** Ends and removes every container and sandbox of this owner. */
  destroyAll(): Promise<void>;
  /** The connection, for the images beside it. */
  readonly connection: () => GrpcConnection;
  /** Lets go of the connection. Containers run on. */
  close(): void;
}

const NO_LIMIT = -1;
const DEFAULT_PERIOD_US = 100_000;
const MS_PER_SECOND = 1_000;

/** A runtime behind an endpoint. */
export function createCriRuntime(options: CriRuntimeOptions): CriRuntime {
  return new Cri(options);
}

class Cri implements CriRuntime {
  readonly #options: CriRuntimeOptions;
  readonly #cgroups: Cgroups;
  readonly #usages: ContainerUsages;
  readonly #files: PodFiles;
  readonly #view: RuntimeView;
  readonly #events: LifecycleEvents;
  readonly #commands: CriCommands;
  readonly #ending = new AbortController();
  readonly #handlers = new Set<(event: RuntimeEvent) => void>();
  /** By what is made or removed. */
  readonly #turns = new Turns();
  #connection: GrpcConnection | undefined;
  #info = { name: 'cri', version: 'unknown' };

  constructor(options: CriRuntimeOptions) {
    this.#options = options;
    this.#cgroups = createCgroups(options.system);
    this.#usages = new ContainerUsages(this.#cgroups, options.clock);
    this.#files = new PodFiles(join(options.stateDir, 'pods'));
    this.#view = new RuntimeView({
      connection: this.connection,
      files: this.#files,
      owner: options.clusterId,
      clock: options.clock,
      emit: (event) => this.#handlers.forEach((handler) => handler(event)),
    });
    const doors = { ...options, connection: this.connection, view: this.#view };
    this.#events = new LifecycleEvents(doors, this.#ending.signal);
    this.#commands = new CriCommands(doors);
  }

  readonly connection = (): GrpcConnection => {
    if (!this.#connection) throw new RuntimeError('NotReady', 'the runtime is not connected yet');
    return this.#connection;
  };

  get info(): { name: string; version: string } {
    return this.#info;
  }

  async recover(): Promise<void> {
    const { endpoint, plugin } = this.#options;
    plugin.install();
    try {
      const connection = await this.#connect();
      const { runtimeName, runtimeVersion } = await connection.call(RUNTIME.version, {});
      this.#info = { name: runtimeName, version: runtimeVersion };
      await refuseSystemd(connection);
      await this.#view.relist();
    } catch (error) {
      this.close();
      const why = `the container runtime at ${endpoint} cannot be used: ${(error as Error).message}`;
      throw new Error(why, { cause: error });
    }
    void this.#events.run();
  }

  async #connect(): Promise<GrpcConnection> {
    const { endpoint, clock } = this.#options;
    this.#connection ??= await connectGrpc(endpoint, clock);
    return this.#connection;
  }

  async problem(): Promise<string | undefined> {
    const { problem } = this.#events;
    return problem === undefined ? problemOf(this.connection()) : runtimeDown(problem);
  }

  features(): Promise<RuntimeFeatures> {
    return featuresOf(this.connection());
  }

  async destroyAll(): Promise<void> {
    await this.#connect();
    await this.#view.relist();
    await Promise.all([...this.#view.sandboxes.keys()].map((id) => this.removeSandbox(id)));
    for (const uid of this.#files.pods()) this.#files.forgetPod(uid);
    await removeCgroup(this.#doors(), `/pinnace-${this.#options.clusterId}`);
  }

  close(): void {
    this.#ending.abort();
    this.#connection?.close();
  }

  runSandbox(config: SandboxConfig): Promise<string> {
    return this.#turns.take(`pod ${config.podUid}`, async () => {
      const known = [...this.#view.sandboxes.values()].find(
        ({ podUid, attempt, state }) =>
          podUid === config.podUid && attempt === config.attempt && state === 'ready',
      );
      if (known) return known.id;
      return failingAs('CreatePodSandboxError', () => this.#makeSandbox(config));
    });
  }

  async #makeSandbox(config: SandboxConfig): Promise<string> {
    const { podUid, netnsPath, hostNetwork } = config;
    const { plugin, addressOf, clusterId: owner, clock } = this.#options;
    await this.#refuseUnsupported(config);
    const cgroupParent = this.#podCgroup(podUid);
    this.#cgroups.make(cgroupParent);
    this.#cgroups.setLimits(cgroupParent, config.resources);
    if (!hostNetwork && netnsPath !== undefined)
      plugin.plug({ podUid, netnsPath, ip: addressOf(podUid) ?? '' });
    const message = sandboxMessage(config, { owner, cgroupParent });
    const { id } = await this.connection().call(RUNTIME.runPodSandbox, { config: message });
    const { namespace, name, attempt } = config;
    const createdAtMs = clock.now();
    const made = { id, podUid, namespace, name, attempt, netnsPath, createdAtMs };
    this.#view.putSandbox({ ...made, state: 'ready' });
    return id;
  }

  async #refuseUnsupported({ userNamespace }: SandboxConfig): Promise<void> {
    if (!userNamespace || (await this.features()).userNamespaces) return;
    const { name, version } = this.#info;
    throw new Error(`${name} ${version} does not give pods user namespaces`);
  }

  async stopSandbox(id: string): Promise<void> {
    const known = this.#view.sandboxes.get(id);
    if (!known) return;
    for (const { id: container, state } of this.#view.containersOf(id))
      if (state === 'created') await this.removeContainer(container);
    await unlessGone(() => this.connection().call(RUNTIME.stopPodSandbox, { id }));
    const running = this.#view.containersOf(id).filter(({ state }) => state !== 'exited');
    await Promise.all(running.map((container) => this.#view.refresh(container.id, id)));
    if (this.#view.sandboxes.has(id)) this.#view.putSandbox({ ...known, state: 'notready' });
  }

  updateSandboxResources(id: string, resources: LinuxResources): Promise<void> {
    const known = this.#view.sandboxes.get(id);
    if (known?.state !== 'ready')
      return Promise.reject(new RuntimeError('NotFound', `there is no sandbox ${id}`));
    return this.#turns.take(`pod ${known.podUid}`, async () => {
      this.#cgroups.setLimits(this.#podCgroup(known.podUid), resources);
      // Runtimes may want to know; as upstream, what they say does not matter.
      await this.connection()
        .call(RUNTIME.updatePodSandboxResources, { id, resources: resourcesMessage(resources) })
        .catch(() => undefined);
    });
  }

  async removeSandbox(id: string): Promise<void> {
    const known = this.#view.sandboxes.get(id);
    if (!known) return;
    await this.stopSandbox(id);
    for (const container of this.#view.containersOf(id)) await this.removeContainer(container.id);
    await this.#turns.take(`pod ${known.podUid}`, async () => {
      await unlessGone(() => this.connection().call(RUNTIME.removePodSandbox, { id }));
      this.#view.drop(id);
      if ([...this.#view.sandboxes.values()].some(({ podUid }) => podUid === known.podUid)) return;
      await removeCgroup(this.#doors(), this.#podCgroup(known.podUid));
      this.#options.plugin.unplug(known.podUid);
      this.#files.forgetPod(known.podUid);
    });
  }

  listSandboxes(podUid?: string): Promise<readonly SandboxStatus[]> {
    return Promise.resolve([...this.#view.sandboxes.values()].filter(ofPod(podUid)));
  }

  createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
  ): Promise<string> {
    return this.#turns.take(`container ${sandboxId} ${config.name} ${config.attempt}`, async () => {
      const known = this.#view
        .containersOf(sandboxId)
        .find(({ name, attempt }) => name === config.name && attempt === config.attempt);
      if (known) return known.id;
      return failingAs('CreateContainerError', () =>
        this.#makeContainer(sandboxId, sandbox, config),
      );
    });
  }

  async #makeContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
  ): Promise<string> {
    refuseContainer(this.#info, config);
    const { podUid } = sandbox;
    const { clusterId: owner } = this.#options;
    mkdirSync(dirname(config.logPath), { recursive: true });
    const files = {
      hosts: this.#files.writeHosts(podUid, sandbox.hosts),
      terminationLog: this.#files.makeTerminationLog({ ...config, podUid }),
    };
    const imageUser = await this.#imageUser(config.imageId);
    const { id } = await this.connection().call(RUNTIME.createContainer, {
      sandboxId,
      config: containerMessage(config, { owner, sandbox, files, imageUser }),
      sandboxConfig: sandboxMessage(sandbox, { owner, cgroupParent: this.#podCgroup(podUid) }),
    });
    await this.#view.refresh(id, sandboxId);
    return id;
  }

  async #imageUser(imageId: string): Promise<ImageUser> {
    const { image } = await this.connection().call(IMAGES.status, { image: { image: imageId } });
    if (!image) throw new RuntimeError('CreateContainerError', `image ${imageId} is not present`);
    return { uid: image.uid?.value, username: image.username ?? '' };
  }

  startContainer(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      const { status } = this.#view.known(id);
      if (status.state === 'running') return;
      if (status.state === 'exited') throw startFailure(status);
      try {
        await this.connection().call(RUNTIME.startContainer, { id });
      } catch (error) {
        const now = await this.#view.refresh(id, status.sandboxId);
        if (now?.state === 'exited') throw startFailure(now);
        throw new RuntimeError('RunContainerError', messageOf(error), error);
      }
      await this.#view.refresh(id, status.sandboxId);
    });
  }

  /** One that never ran ends by being removed: runtimes do not stop what does not run. */
  async stopContainer(id: string, graceMs: number): Promise<void> {
    const known = this.#view.containers.get(id);
    if (!known || known.status.state === 'exited') return;
    if (known.status.state === 'created') return this.removeContainer(id);
    const doors = { system: this.#options.system, view: this.#view };
    if (await endedBySignal(doors, known, graceMs)) return;
    await this.#stop(known.status, known.notes.stopSignal === undefined ? graceMs : 0);
  }

  async #stop({ id, sandboxId }: ContainerStatus, graceMs: number): Promise<void> {
    const timeout = Math.ceil(graceMs / MS_PER_SECOND);
    const timeoutMs = CALL_TIMEOUT_MS + timeout * MS_PER_SECOND;
    await failingAs('KillContainerError', () =>
      unlessGone(() =>
        this.connection().call(RUNTIME.stopContainer, { id, timeout }, { timeoutMs }),
      ),
    );
    await this.#view.refresh(id, sandboxId);
  }

  async updateContainerResources(id: string, resources: LinuxResources): Promise<void> {
    this.#view.running(id);
    const { cpuShares, cpuQuotaUs = NO_LIMIT, cpuPeriodUs = DEFAULT_PERIOD_US } = resources;
    const { memoryLimitBytes = NO_LIMIT } = resources;
    const linux = resourcesMessage({
      ...(cpuShares !== undefined && { cpuShares }),
      cpuQuotaUs,
      cpuPeriodUs,
      memoryLimitBytes,
    });
    await this.#turns.take(id, () =>
      failingAs('UpdateContainerError', () =>
        this.connection().call(RUNTIME.updateContainerResources, { id, linux }),
      ),
    );
  }

  removeContainer(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      const known = this.#view.containers.get(id);
      if (!known) return;
      await unlessGone(() => this.connection().call(RUNTIME.removeContainer, { id }));
      this.#view.drop(id);
      this.#files.forgetContainer(known.status);
    });
  }

  listContainers(podUid?: string): Promise<readonly ContainerStatus[]> {
    const all = Array.from(this.#view.containers.values(), ({ status }) => status);
    return Promise.resolve(all.filter(ofPod(podUid)));
  }

  containerStatus(id: string): Promise<ContainerStatus | undefined> {
    return Promise.resolve(this.#view.containers.get(id)?.status);
  }

  execSync(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult> {
    return this.#commands.execSync(id, command, timeoutMs);
  }

  exec(
    id: string,
    options: { command: readonly string[]; tty: boolean; stdin: boolean },
  ): Promise<ExecSession> {
    return this.#commands.exec(id, options);
  }

  attach(id: string, options: { stdin: boolean }): Promise<ExecSession> {
    return this.#commands.attach(id, options);
  }

  stats(): Promise<readonly ContainerStats[]> {
    const running = (known: KnownContainer) => known.status.state === 'running';
    const groups = [...this.#view.containers.values()].filter(running).map(({ status }) => {
      const { id: containerId, podUid, name } = status;
      const group = containerGroup(this.#info.name, containerId);
      return { containerId, podUid, name, path: `${this.#podCgroup(podUid)}/${group}` };
    });
    return Promise.resolve(this.#usages.stats(groups));
  }

  async limitPods(limits: Parameters<Required<ContainerRuntime>['limitPods']>[0]): Promise<void> {
    const { logger, clusterId } = this.#options;
    limitPodsTogether({ cgroups: this.#cgroups, logger }, `/pinnace-${clusterId}`, limits);
  }

  writableLayers(
    ids: readonly string[],
    unit: 'bytes' | 'inodes',
  ): Promise<ReadonlyMap<string, number>> {
    return writableLayersOf(this.connection(), this.#options.clusterId, { ids, unit });
  }

  nodeStats(): { timestampMs: number; cpuUsageNs: bigint; memoryWorkingSetBytes: number } {
    const { system, clock } = this.#options;
    return {
      timestampMs: clock.now(),
      cpuUsageNs: cpuUsageOf(system.read('/proc/stat') ?? ''),
      memoryWorkingSetBytes: workingSetOf(system.read('/proc/meminfo') ?? ''),
    };
  }

  async reopenLog(id: string): Promise<void> {
    this.#view.running(id);
    await this.connection().call(RUNTIME.reopenContainerLog, { id });
  }

  subscribe(handler: (event: RuntimeEvent) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#handlers.add(handler);
    signal.addEventListener('abort', () => this.#handlers.delete(handler), { once: true });
  }

  #podCgroup(podUid: string): string {
    return `/pinnace-${this.#options.clusterId}/pod${podUid}`;
  }

  #doors() {
    return { cgroups: this.#cgroups, clock: this.#options.clock };
  }
}

function startFailure(status: ContainerStatus): RuntimeError {
  const { reason = START_ERROR, message = 'the container has ended already' } = status;
  return new RuntimeError(reason === START_ERROR ? reason : 'RunContainerError', message);
}

/** All pass where no pod is named. */
function ofPod(podUid: string | undefined): (each: { readonly podUid: string }) => boolean {
  return (each) => podUid === undefined || each.podUid === podUid;
}
