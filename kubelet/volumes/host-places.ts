// Work on files that users name, done by processes beside this one: a file system that hangs holds up the pods that asked for it only.
// Invariants: nobody waits longer than ANSWER_MS; what was begun goes on, and is found by who asks again; a file system that hangs
// has so many processes waiting for it and no more, whatever is asked of it, and all together have so many.
import type { Clock } from '../../base/clock.ts';
import { Slots } from '../../base/slots.ts';
import { mountOf } from '../../system/mountinfo.ts';
import type { System } from '../../system/system.ts';
import { ConfigError } from './volume-error.ts';

/** How long somebody waits before being told that there is no answer yet. */
export const ANSWER_MS = 5_000;
/** What takes longer is given up; a process that the kernel holds stays until its file system answers. */
export const GIVE_UP_MS = 60_000;
/** Processes at work on one file system; what is asked beyond that waits for its turn. */
export const PER_FILE_SYSTEM = 2;
/** Works begun and unfinished; more are refused. */
export const MAX_WORKS = 256;

/** Something to be done with a path. */
export interface HostWork<T> {
  /** Of the pod for which it is done. */
  readonly podUid: string;
  /** What it is, among the works for the pod: the same name is the same work. */
  readonly name: string;
  readonly path: string;
  /** Works of the same turn go there by turns; those on the path's file system unless given. */
  readonly turn?: string;
  /** What is told while it goes on; unless given, that the file system does not answer. */
  readonly slow?: string;
  /** Unless given, GIVE_UP_MS. */
  readonly giveUpMs?: number;
  run(signal: AbortSignal): Promise<T>;
}

interface Begun {
  readonly outcome: Promise<unknown>;
  readonly podUid: string;
  readonly giveUp: AbortController;
  waiting: number;
  settled: boolean;
}

/** The works of one agent. */
export class HostPlaces {
  readonly #doors: { readonly clock: Clock; readonly system: Pick<System, 'mounts'> };
  readonly #works = new Map<string, Begun>();
  /** By the place where a file system is mounted, while something waits for it. */
  readonly #turns = new Map<string, { readonly slots: Slots; users: number }>();

  constructor(doors: { readonly clock: Clock; readonly system: Pick<System, 'mounts'> }) {
    this.#doors = doors;
  }

  /** What came of it. Throws ConfigError while there is no answer, and whatever the work throws. */
  async answer<T>(work: HostWork<T>): Promise<T> {
    const key = `${work.podUid}/${work.name}`;
    const begun = this.#works.get(key) ?? this.#begin(key, work);
    begun.waiting += 1;
    const late = Promise.withResolvers<never>();
    const timer = this.#doors.clock.timer(ANSWER_MS, () => late.reject(this.#noAnswer(work)));
    try {
      return (await Promise.race([begun.outcome, late.promise])) as T;
    } finally {
      timer.cancel();
      begun.waiting -= 1;
      if (begun.settled) this.#drop(key, begun);
    }
  }

  /** The pod is gone: nobody will ask for its works again, and they are given up. */
  forget(podUid: string): void {
    for (const [key, begun] of this.#works) {
      if (begun.podUid !== podUid) continue;
      this.#works.delete(key);
      begun.giveUp.abort();
    }
  }

  /** Works that are not finished. */
  get pending(): number {
    return [...this.#works.values()].filter(({ settled }) => !settled).length;
  }

  #begin<T>(key: string, work: HostWork<T>): Begun {
    if (this.pending >= MAX_WORKS)
      throw new ConfigError(
        'FailedMount',
        `${this.pending} works on paths of the host are under way already; see which file system does not answer`,
      );
    const giveUp = new AbortController();
    const outcome = this.#inTurn(work, giveUp);
    const begun: Begun = { outcome, podUid: work.podUid, giveUp, waiting: 0, settled: false };
    this.#works.set(key, begun);
    const settle = () => {
      begun.settled = true;
      // Whoever asks next takes it, unless somebody takes it now.
      if (begun.waiting > 0) this.#drop(key, begun);
    };
    outcome.then(settle, settle);
    return begun;
  }

  #drop(key: string, begun: Begun): void {
    if (this.#works.get(key) === begun) this.#works.delete(key);
  }

  async #inTurn<T>(work: HostWork<T>, giveUp: AbortController): Promise<T> {
    const turn = work.turn ?? this.#fileSystem(work.path).mountPoint;
    const turns = this.#turns.get(turn) ?? {
      slots: new Slots(PER_FILE_SYSTEM),
      users: 0,
    };
    this.#turns.set(turn, turns);
    turns.users += 1;
    try {
      return await turns.slots.run(() => this.#run(work, giveUp));
    } finally {
      turns.users -= 1;
      if (turns.users === 0) this.#turns.delete(turn);
    }
  }

  async #run<T>(work: HostWork<T>, giveUp: AbortController): Promise<T> {
    const timer = this.#doors.clock.timer(work.giveUpMs ?? GIVE_UP_MS, () => giveUp.abort());
    try {
      giveUp.signal.throwIfAborted();
      return await work.run(giveUp.signal);
    } catch (error) {
      throw giveUp.signal.aborted ? this.#noAnswer(work) : error;
    } finally {
      timer.cancel();
    }
  }

  #noAnswer({ path, slow }: Pick<HostWork<unknown>, 'path' | 'slow'>): ConfigError {
    const { mountPoint, type } = this.#fileSystem(path);
    const text = `${path} does not answer: the ${type} file system at ${mountPoint} hangs`;
    return new ConfigError('FailedMount', slow ?? text);
  }

  /** By its name alone: whoever follows a link might hang. */
  #fileSystem(path: string): { readonly mountPoint: string; readonly type: string } {
    return mountOf(this.#doors.system.mounts(), path) ?? { mountPoint: '/', type: 'root' };
  }
}
