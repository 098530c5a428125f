// Pulls images in a process beside this one, so that the agent neither grows with a layer nor is held up by one.
// Invariants: at most one such process, begun by the first pull and ended a while after the last; a pull settles once nothing of it
// goes on; a process that dies fails its pulls with words, and the next begins another.
import { join } from 'node:path';
import type { Clock, Timer } from '../../../base/clock.ts';
import type { System } from '../../../system/system.ts';
import {
  type ImageInfo,
  PullError,
  type PullProgress,
  type RegistryCredential,
} from '../../runtime/runtime.ts';
import type { PullNews, PullOrder } from './pull-messages.ts';

type ChildProcess = ReturnType<System['spawnProgram']>;

/** How long the process waits for another pull. */
const IDLE_MS = 10_000;
const PROGRAM = join(import.meta.dirname, 'pull-worker.ts');

/** What it needs. */
export interface PullProcessParts {
  readonly system: System;
  readonly clock: Clock;
  readonly open: Extract<PullOrder, { kind: 'open' }>;
  /** Called when the process has died with pulls under way: it may have left something. */
  readonly onDeath: () => Promise<unknown>;
}

/** One that is dead hears nothing; its end is told by itself. */
function tell(child: ChildProcess, order: PullOrder): void {
  child.send(order, () => undefined);
}

/** One pull. */
export interface PullTask {
  readonly image: string;
  readonly credentials: readonly RegistryCredential[];
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

interface Waiting {
  readonly child: ChildProcess;
  readonly task: PullTask;
  readonly resolve: (image: ImageInfo) => void;
  readonly reject: (error: Error) => void;
}

/** The process of one store. */
export class PullProcess {
  readonly #parts: PullProcessParts;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #idle: Timer | undefined;
  #next = 0;

  constructor(parts: PullProcessParts) {
    this.#parts = parts;
  }

  /** Pid of the process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Rejects with PullError, and with the signal's reason when aborted. */
  async pull(task: PullTask): Promise<ImageInfo> {
    task.signal.throwIfAborted();
    const child = this.#begun();
    const id = this.#next++;
    // A pull keeps this process alive; the other one, waiting for more, does not.
    child.channel?.ref();
    const onAbort = () => tell(child, { kind: 'giveUp', id });
    try {
      return await new Promise<ImageInfo>((resolve, reject) => {
        this.#waiting.set(id, { child, task, resolve, reject });
        const { image, credentials } = task;
        tell(child, { kind: 'pull', id, image, credentials });
        task.signal.addEventListener('abort', onAbort, { once: true });
      });
    } catch (error) {
      task.signal.throwIfAborted();
      throw error;
    } finally {
      task.signal.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#rest();
    }
  }

  #rest(): void {
    this.#child?.channel?.unref();
    this.#idle = this.#parts.clock.timer(IDLE_MS, () => this.close());
  }

  /** Ends the process; pulls under way fail. */
  close(): void {
    this.#idle?.cancel();
    const child = this.#child;
    // A pull that comes before its end is seen begins another.
    this.#child = undefined;
    child?.kill('SIGKILL');
  }

  #begun(): ChildProcess {
    this.#idle?.cancel();
    return this.#child ?? this.#begin();
  }

  #begin(): ChildProcess {
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM];
    const child = this.#parts.system.spawnProgram(args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.unref();
    child.on('message', (news) => this.#hear(news as PullNews));
    child.once('error', (error) => void this.#died(child, error.message));
    child.once('exit', (code, signal) => void this.#died(child, signal ?? `exit ${code}`));
    tell(child, this.#parts.open);
    return child;
  }

  #hear(news: PullNews): void {
    const waiting = this.#waiting.get(news.id);
    if (news.kind === 'progress') waiting?.task.onProgress?.(news.progress);
    else if (news.kind === 'done') waiting?.resolve(news.image);
    else waiting?.reject(new PullError(news.reason, news.message));
  }

  async #died(child: ChildProcess, why: string): Promise<void> {
    if (this.#child === child) this.#child = undefined;
    const failed = [...this.#waiting.values()].filter((each) => each.child === child);
    if (failed.length === 0) return;
    await this.#parts.onDeath().catch(() => undefined);
    const error = new PullError('ErrImagePull', `the process that pulled it ended (${why})`);
    for (const { reject } of failed) reject(error);
  }
}
