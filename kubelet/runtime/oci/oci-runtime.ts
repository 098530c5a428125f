// ContainerRuntime by runc and conmon. This file only routes the verbs; the work is in the files beside it.
// Invariants: verbs that make or remove the same thing run one after the other; nothing here keeps containers alive or ends them when it stops.
import { mkdirSync } from 'node:fs';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import { type Random, systemRandom } from '../../../base/random.ts';
import { Turns } from '../../../base/turns.ts';
import { createCgroups } from '../../../system/cgroups.ts';
import { DirectorySizes } from '../../../system/directory-sizes.ts';
import type { System } from '../../../system/system.ts';
import type { OciImageStore } from '../../images/image-store.ts';
import { ContainerUsages } from '../container-usages.ts';
import { limitPodsTogether } from '../pods-limits.ts';
import {
  type ContainerConfig,
  type ContainerDetails,
  type ContainerRuntime,
  type ContainerStats,
  type ContainerStatus,
  type ExecResult,
  type ExecSession,
  type LinuxResources,
  type RuntimeEvent,
  RuntimeError,
  type RuntimeFeatures,
  type SandboxConfig,
  type SandboxStatus,
} from '../runtime.ts';
import {
  createContainer,
  destroyContainer,
  killContainer,
  startContainer,
  stopContainer,
} from './containers.ts';
import { AnsweringPaths } from './answering-paths.ts';
import { type Context, readHostLimits } from './context.ts';
import { attach, exec, execSync, writeControl } from './exec.ts';
import { Exits } from './exits.ts';
import { layoutFor } from './layout.ts';
import { cpuUsageOf, workingSetOf } from './node-stats.ts';
import { type ContainerRecord, containerStatusOf, Records, sandboxStatusOf } from './records.ts';
import { destroyAll, recover } from './recovery.ts';
import { updateResources } from './resources.ts';
import { lookAt } from './pause.ts';
import { destroySandbox, releaseSandbox, runSandbox } from './sandboxes.ts';
import { supportsRecursiveReadOnly, supportsUserNamespaces } from './unsupported.ts';

/** What the runtime is made with. */
export interface OciRuntimeOptions {
  readonly system: System;
  readonly clock: Clock;
  readonly random?: Random;
  readonly logger: Logger;
  /** Kept between runs; one runtime at a time. */
  readonly stateDir: string;
  /** In names of cgroups and directories in /run. */
  readonly clusterId: string;
  readonly images: OciImageStore;
}

/** The contract, and what the agent's start and end need besides. */
export interface OciRuntime extends ContainerRuntime {
  /** Finds everything again after a crash. Call it once, before any other verb. */
  recover(): Promise<void>;
  /** Ends and removes every container and sandbox and leaves nothing on the host. */
  destroyAll(): Promise<void>;
  /** Stops watching. Containers run on. */
  close(): void;
}

/** A runtime over a state directory. */
export function createOciRuntime(options: OciRuntimeOptions): OciRuntime {
  return new RuncRuntime(options);
}

class RuncRuntime implements OciRuntime {
  readonly #context: Context;
  readonly #exits: Exits;
  readonly #sizes: DirectorySizes;
  readonly #usages: ContainerUsages;
  readonly #handlers = new Set<(event: RuntimeEvent) => void>();
  /** By what is made or removed. */
  readonly #turns = new Turns();
  #version = 'unknown';

  constructor(options: OciRuntimeOptions) {
    const { system, stateDir, clusterId, images } = options;
    const layout = layoutFor(stateDir, clusterId);
    this.#sizes = new DirectorySizes(system);
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    this.#context = {
      system,
      clock: options.clock,
      random: options.random ?? systemRandom,
      logger: options.logger,
      images,
      layout,
      cgroups: createCgroups(system),
      records: new Records(system, layout),
      answering: new AnsweringPaths({ system, clock: options.clock }),
      host: readHostLimits(system),
      emit: (event) => this.#emit(event),
    };
    this.#exits = new Exits(this.#context);
    this.#usages = new ContainerUsages(this.#context.cgroups, options.clock);
  }

  get info(): { name: string; version: string } {
    return { name: 'runc', version: this.#version };
  }

  async recover(): Promise<void> {
    await recover(this.#context, this.#exits);
    const { stdout } = await this.#context.system.run('runc', ['--version']);
    this.#version = /runc version (\S+)/.exec(stdout)?.[1] ?? this.#version;
  }

  async destroyAll(): Promise<void> {
    await destroyAll(this.#context, this.#exits);
  }

  close(): void {
    this.#exits.close();
  }

  runSandbox(config: SandboxConfig): Promise<string> {
    return this.#turns.take(`pod ${config.podUid}`, () => runSandbox(this.#context, config));
  }

  async stopSandbox(id: string): Promise<void> {
    const record = this.#context.records.sandboxes.get(id);
    if (!record) return;
    await Promise.all(
      this.#context.records
        .containersOf(id)
        .map((container) => killContainer(this.#context, this.#exits, container.id)),
    );
    releaseSandbox(this.#context, this.#context.records.sandboxes.get(id) ?? record);
  }

  async removeSandbox(id: string): Promise<void> {
    const { records } = this.#context;
    if (!records.sandboxes.has(id)) return;
    await this.stopSandbox(id);
    for (const container of records.containersOf(id)) await this.removeContainer(container.id);
    const record = records.sandboxes.get(id);
    if (record)
      await this.#turns.take(`pod ${record.config.podUid}`, () =>
        destroySandbox(this.#context, record),
      );
  }

  listSandboxes(podUid?: string): Promise<readonly SandboxStatus[]> {
    const { records } = this.#context;
    return Promise.resolve(
      [...records.sandboxes.values()]
        .filter(({ state, config }) => state !== 'creating' && isOf(config, podUid))
        .map((record) => sandboxStatusOf(lookAt(this.#context, record))),
    );
  }

  createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
  ): Promise<string> {
    return this.#turns.take(`container ${sandboxId} ${config.name} ${config.attempt}`, () =>
      createContainer(this.#context, sandboxId, { sandbox, container: config }),
    );
  }

  startContainer(id: string): Promise<void> {
    return this.#turns.take(id, () => startContainer(this.#context, this.#must(id)));
  }

  updateContainerResources(id: string, resources: LinuxResources): Promise<void> {
    return this.#turns.take(id, () => updateResources(this.#context, this.#running(id), resources));
  }

  async limitPods(limits: Parameters<Required<ContainerRuntime>['limitPods']>[0]): Promise<void> {
    limitPodsTogether(this.#context, this.#context.layout.cgroup, limits);
  }

  updateSandboxResources(id: string, resources: LinuxResources): Promise<void> {
    const { cgroups, layout, records } = this.#context;
    const record = records.sandboxes.get(id);
    if (record?.state !== 'ready')
      return Promise.reject(new RuntimeError('NotFound', `there is no sandbox ${id}`));
    const { config } = record;
    const { pidsLimit } = config.resources;
    const limits = { ...resources, ...(pidsLimit !== undefined && { pidsLimit }) };
    return this.#turns.take(`pod ${config.podUid}`, async () => {
      cgroups.setLimits(layout.podCgroup(config.podUid), limits);
      records.putSandbox({ ...record, config: { ...config, resources: limits } });
    });
  }

  stopContainer(id: string, graceMs: number): Promise<void> {
    return stopContainer(this.#context, this.#exits, { id, graceMs });
  }

  removeContainer(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      await killContainer(this.#context, this.#exits, id);
      const record = this.#context.records.containers.get(id);
      if (record) await destroyContainer(this.#context, record);
    });
  }

  listContainers(podUid?: string): Promise<readonly ContainerStatus[]> {
    return Promise.resolve(
      [...this.#context.records.containers.values()]
        .filter((record) => record.phase !== 'creating' && isOf(record, podUid))
        .map((record) => containerStatusOf(this.#exits.check(record))),
    );
  }

  containerStatus(id: string): Promise<ContainerStatus | undefined> {
    const record = this.#context.records.containers.get(id);
    const known = record && record.phase !== 'creating' ? record : undefined;
    return Promise.resolve(known && containerStatusOf(this.#exits.check(known)));
  }

  async execSync(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult> {
    return execSync(this.#context, this.#running(id), { command, timeoutMs });
  }

  async exec(
    id: string,
    options: { command: readonly string[]; tty: boolean; stdin: boolean },
  ): Promise<ExecSession> {
    return exec(this.#context, this.#running(id), options);
  }

  async attach(id: string, options: { stdin: boolean }): Promise<ExecSession> {
    const doors = { context: this.#context, exits: this.#exits };
    return Promise.resolve(attach(doors, this.#running(id), options));
  }

  details(): Promise<ReadonlyMap<string, ContainerDetails>> {
    const { cgroups, layout } = this.#context;
    const known = this.#allRunning().flatMap(({ podUid, id }): [string, ContainerDetails][] => {
      const path = layout.containerCgroup(podUid, id);
      const details = cgroups.details(path);
      return details ? [[id, { ...details, oomKills: cgroups.oomKills(path) }]] : [];
    });
    return Promise.resolve(new Map(known));
  }

  features(): Promise<RuntimeFeatures> {
    const { system } = this.#context;
    return Promise.resolve({
      userNamespaces: supportsUserNamespaces(system),
      recursiveReadOnlyMounts: supportsRecursiveReadOnly(system),
      supplementalGroupsPolicy: true,
    });
  }

  stats(): Promise<readonly ContainerStats[]> {
    const { layout } = this.#context;
    const groups = this.#allRunning().map(({ id: containerId, podUid, config: { name } }) => {
      const path = layout.containerCgroup(podUid, containerId);
      return { containerId, podUid, name, path };
    });
    return Promise.resolve(this.#usages.stats(groups));
  }

  async writableLayers(
    ids: readonly string[],
    unit: 'bytes' | 'inodes',
  ): Promise<ReadonlyMap<string, number>> {
    const { layout } = this.#context;
    const sizes = ids.map(
      async (id) => [id, await this.#sizes.of(layout.container(id).upper, unit)] as const,
    );
    const known = await Promise.all(sizes);
    return new Map(known.flatMap(([id, size]) => (size === undefined ? [] : [[id, size]])));
  }

  nodeStats(): { timestampMs: number; cpuUsageNs: bigint; memoryWorkingSetBytes: number } {
    const { system, clock } = this.#context;
    return {
      timestampMs: clock.now(),
      cpuUsageNs: cpuUsageOf(system.read('/proc/stat') ?? ''),
      memoryWorkingSetBytes: workingSetOf(system.read('/proc/meminfo') ?? ''),
    };
  }

  reopenLog(id: string): Promise<void> {
    const { control } = this.#context.layout.container(this.#running(id).id);
    return Promise.resolve(writeControl(control, '2 0 0'));
  }

  subscribe(handler: (event: RuntimeEvent) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#handlers.add(handler);
    signal.addEventListener('abort', () => this.#handlers.delete(handler), { once: true });
  }

  #emit(event: RuntimeEvent): void {
    for (const handler of this.#handlers) handler(event);
  }

  #must(id: string): ContainerRecord {
    const record = this.#context.records.containers.get(id);
    if (!record) throw new RuntimeError('NotFound', `there is no container ${id}`);
    return record;
  }

  #allRunning(): ContainerRecord[] {
    return [...this.#context.records.containers.values()].filter(
      (record) => record.phase === 'running' && this.#exits.glance(record).phase === 'running',
    );
  }

  #running(id: string): ContainerRecord {
    const record = this.#exits.check(this.#must(id));
    if (record.phase !== 'running')
      throw new RuntimeError('NotRunning', `container ${id} is not running`);
    return record;
  }
}

/** All are where no pod is named. */
function isOf(record: { readonly podUid: string }, podUid: string | undefined): boolean {
  return podUid === undefined || record.podUid === podUid;
}
