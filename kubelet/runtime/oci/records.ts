// What the runtime remembers of each container and sandbox: one record on disk each, and the same in memory.
// Invariant: a record is on disk before the step it announces and after the step it reports, so a crash at any moment can be understood.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRecord, writeRecord } from '../../../system/record-file.ts';
import { removeTree } from '../../../system/remove-tree.ts';
import type { System } from '../../../system/system.ts';
import type {
  ContainerConfig,
  ContainerStatus,
  LinuxUser,
  SandboxConfig,
  SandboxStatus,
} from '../runtime.ts';
import type { Layout } from './layout.ts';

/** A process, told from a later one with the same pid by its start time. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

/** `creating` and `starting` are in between: recovery finds out what became of them. */
export type Phase = 'creating' | 'created' | 'starting' | 'running' | 'exited';

/** A container. */
export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly config: ContainerConfig;
  readonly phase: Phase;
  readonly createdAtMs: number;
  readonly terminationPath: string | undefined;
  readonly init?: ProcessIdentity;
  readonly conmon?: ProcessIdentity;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly endUnseen?: boolean;
  readonly user?: LinuxUser;
}

/** A sandbox. */
export interface SandboxRecord {
  readonly id: string;
  readonly config: SandboxConfig;
  readonly createdAtMs: number;
  readonly state: 'creating' | 'ready' | 'notready';
  /** The process that holds its namespaces, where they need one. */
  readonly pause?: ProcessIdentity;
}

/** Containers and sandboxes by id, written through to disk. */
export class Records {
  readonly containers = new Map<string, ContainerRecord>();
  readonly sandboxes = new Map<string, SandboxRecord>();
  readonly #system: System;
  readonly #layout: Layout;

  constructor(system: System, layout: Layout) {
    this.#system = system;
    this.#layout = layout;
  }

  /** Reads what is on disk. Directories without a readable record are told by id, for clean-up. */
  load(): { brokenContainers: readonly string[]; brokenSandboxes: readonly string[] } {
    const { containers, sandboxes } = this.#layout;
    return {
      brokenContainers: readAll(containers, 'container.json', this.containers),
      brokenSandboxes: readAll(sandboxes, 'sandbox.json', this.sandboxes),
    };
  }

  putContainer(record: ContainerRecord): ContainerRecord {
    writeRecord(this.#layout.container(record.id).record, record);
    this.containers.set(record.id, record);
    return record;
  }

  putSandbox(record: SandboxRecord): SandboxRecord {
    writeRecord(this.#layout.sandbox(record.id).record, record);
    this.sandboxes.set(record.id, record);
    return record;
  }

  /** Its files go first: a container may have written any number of them. */
  async dropContainer(id: string): Promise<void> {
    await removeTree(this.#system, this.#layout.container(id).root);
    this.containers.delete(id);
  }

  async dropSandbox(id: string): Promise<void> {
    await removeTree(this.#system, this.#layout.sandbox(id).root);
    this.sandboxes.delete(id);
  }

  containersOf(sandboxId: string): readonly ContainerRecord[] {
    return [...this.containers.values()].filter((record) => record.sandboxId === sandboxId);
  }
}

function readAll<T extends { id: string; config: object }>(
  directory: string,
  file: string,
  into: Map<string, T>,
): readonly string[] {
  const broken: string[] = [];
  for (const id of readdirSync(directory)) {
    try {
      const record = readRecord(join(directory, id, file)) as T | undefined;
      if (record?.id === id && record.config) into.set(id, record);
      else broken.push(id);
    } catch {
      broken.push(id);
    }
  }
  return broken;
}

/** The record as the contract tells it. */
export function containerStatusOf(record: ContainerRecord): ContainerStatus {
  const { config } = record;
  return {
    id: record.id,
    sandboxId: record.sandboxId,
    podUid: record.podUid,
    name: config.name,
    attempt: config.attempt,
    imageId: config.imageId,
    state: STATES[record.phase],
    pid: record.phase === 'exited' ? undefined : record.init?.pid,
    createdAtMs: record.createdAtMs,
    startedAtMs: record.startedAtMs,
    finishedAtMs: record.finishedAtMs,
    exitCode: record.exitCode,
    reason: record.reason,
    message: record.message,
    ...(record.endUnseen && { endUnseen: true }),
    logPath: config.logPath,
    annotations: config.annotations,
    ...(record.user && { user: record.user }),
  };
}

const STATES: Readonly<Record<Phase, ContainerStatus['state']>> = {
  creating: 'unknown',
  created: 'created',
  starting: 'created',
  running: 'running',
  exited: 'exited',
};

/** The record as the contract tells it. */
export function sandboxStatusOf(record: SandboxRecord): SandboxStatus {
  const { config } = record;
  return {
    id: record.id,
    podUid: config.podUid,
    namespace: config.namespace,
    name: config.name,
    attempt: config.attempt,
    state: record.state === 'ready' ? 'ready' : 'notready',
    netnsPath: config.netnsPath,
    createdAtMs: record.createdAtMs,
  };
}
