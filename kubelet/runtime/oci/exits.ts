// Notices that containers ended: conmon renames a file with the exit code into the exit directory.
// Invariants: a container ends once; its exit file is removed only after the record says so; a lost conmon counts as an end, never as "still running".
import {
  existsSync,
  type FSWatcher,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
} from 'node:fs';
import { join } from 'node:path';
import { readTerminationLog } from '../termination-log.ts';
import { type Context, isAlive } from './context.ts';
import type { ContainerRecord, SandboxRecord } from './records.ts';

const KILLED_EXIT_CODE = 137;
/** What a container without a monitor says of its end, where it has left no words of its own. */
const LOST_MONITOR = 'The container lost its monitor and was killed: its own end is not known';
/** A finished exit file; conmon's temporary ones have longer names. */
const ID = /^[0-9a-f]{32}$/;

/** Watches the exit directory and knows who waits for which container. */
export class Exits {
  readonly #context: Context;
  readonly #waiters = new Map<string, Set<() => void>>();
  #watcher: FSWatcher | undefined;
  #looksBack = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Begins to watch and takes what is there already. Repeatable. */
  start(): void {
    if (!this.#watcher) {
      const { exits } = this.#context.layout;
      this.#watcher = watch(exits, { persistent: false }, (_, file) => {
        if (file !== null) this.#take(file);
      });
      this.#watcher.on('error', (error) => {
        this.#context.logger.error('exit directory is not watched any more', { err: error });
        this.close();
      });
    }
    this.scan();
  }

  /** While `work` lasts, ends that are found happened before this agent was there. */
  async lookingBack(work: () => Promise<void>): Promise<void> {
    this.#looksBack = true;
    try {
      await work();
    } finally {
      this.#looksBack = false;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** Takes all exit files that are there. */
  scan(): void {
    for (const file of readdirSync(this.#context.layout.exits)) this.#take(file);
  }

  /** As `check`, for those who ask of all each second: whether the number of its conmon is another's by now only `check` finds out. */
  glance(record: ContainerRecord): ContainerRecord {
    const { conmon } = record;
    return conmon && this.#context.system.kill(conmon.pid, 0) ? record : this.check(record);
  }

  /** Brings a record up to date with its processes: a container without its conmon is ended and given up. */
  check(record: ContainerRecord): ContainerRecord {
    const { records, system } = this.#context;
    if (record.phase !== 'running' && record.phase !== 'created') return record;
    if (isAlive(system, record.conmon)) return record;
    this.#take(record.id);
    const now = records.containers.get(record.id) ?? record;
    if (now.phase === 'exited') return now;
    return this.giveUp(now);
  }

  /** Ends a container whose exit code nobody will ever know. */
  giveUp(record: ContainerRecord): ContainerRecord {
    const { cgroups, layout, logger, clock } = this.#context;
    logger.warn('container lost its monitor', { container: record.id });
    cgroups.killAll(layout.containerCgroup(record.podUid, record.id));
    return this.#finish(record, {
      exitCode: KILLED_EXIT_CODE,
      finishedAtMs: clock.now(),
      reason: 'ContainerStatusUnknown',
      message: LOST_MONITOR,
    });
  }

  /** True once the container has ended; false when `ms` have passed. */
  wait(id: string, ms: number): Promise<boolean> {
    const ended = () => {
      const phase = this.#context.records.containers.get(id)?.phase;
      return phase === undefined || phase === 'exited';
    };
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(id) ?? new Set();
      this.#waiters.set(id, waiters);
      const finish = (result: boolean) => {
        timer.cancel();
        waiters.delete(onEnd);
        if (waiters.size === 0) this.#waiters.delete(id);
        resolve(result);
      };
      const onEnd = () => finish(true);
      const timer = this.#context.clock.timer(ms, () => {
        this.scan();
        if (waiters.has(onEnd)) finish(ended());
      });
      waiters.add(onEnd);
      if (ended()) finish(true);
    });
  }

  #take(id: string): void {
    const { records, layout, clock } = this.#context;
    const file = join(layout.exits, id);
    const record = records.containers.get(id);
    if (!record && ID.test(id)) rmSync(file, { force: true });
    if (!record || record.phase === 'creating') return;
    const code = readExitFile(file);
    if (!code) return;
    if (record.phase !== 'exited') {
      const killed = code.exitCode === KILLED_EXIT_CODE && this.#ranOutOfMemory(record);
      const reason = killed ? 'OOMKilled' : code.exitCode === 0 ? 'Completed' : 'Error';
      const finishedAtMs = Math.min(code.atMs, clock.now());
      this.#finish(record, { exitCode: code.exitCode, finishedAtMs, reason });
    }
    rmSync(file, { force: true });
  }

  #ranOutOfMemory(record: ContainerRecord): boolean {
    const { layout, cgroups } = this.#context;
    if (existsSync(join(layout.container(record.id).bundle, 'oom'))) return true;
    return cgroups.oomKills(layout.containerCgroup(record.podUid, record.id)) > 0;
  }

  #finish(
    record: ContainerRecord,
    end: { exitCode: number; finishedAtMs: number; reason: string; message?: string },
  ): ContainerRecord {
    const { records, layout, emit, cgroups } = this.#context;
    // The kernel ends what a process namespace holds with its first process; in one that is shared, nobody else does.
    if (sharesProcesses(record, records.sandboxes.get(record.sandboxId)))
      cgroups.killAll(layout.containerCgroup(record.podUid, record.id));
    const message = readTerminationLog(layout.container(record.id).terminationLog);
    const finished = records.putContainer({
      ...record,
      ...end,
      phase: 'exited',
      ...(this.#looksBack && { endUnseen: true }),
      ...(message !== '' && { message }),
    });
    const event = { containerId: record.id, podUid: record.podUid };
    if (end.reason === 'OOMKilled') emit({ kind: 'oom', ...event });
    emit({ kind: 'exited', ...event });
    for (const waiter of this.#waiters.get(record.id) ?? []) waiter();
    return finished;
  }
}

function sharesProcesses({ config }: ContainerRecord, sandbox: SandboxRecord | undefined): boolean {
  const { shareProcessNamespace, hostPid } = sandbox?.config ?? {};
  return shareProcessNamespace || hostPid || config.targetId !== undefined;
}

function readExitFile(file: string): { exitCode: number; atMs: number } | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return /^\d+$/.test(text)
      ? { exitCode: Number(text), atMs: Math.floor(statSync(file).mtimeMs) }
      : undefined;
  } catch {
    return undefined;
  }
}
