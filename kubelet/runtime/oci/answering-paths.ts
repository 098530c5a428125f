// Asks whether paths that pods name answer, by a process beside this one: what this process does with one that hangs holds all pods up.
// Invariants: nobody waits longer than ANSWER_MS; of the same paths one process asks at a time, however often they are tried.
import type { Clock } from '../../../base/clock.ts';
import type { System } from '../../../system/system.ts';
import { RuntimeError } from '../runtime.ts';

/** Longest wait for an answer. A process that the kernel holds stays until its file system answers. */
export const ANSWER_MS = 5_000;

/** The paths of one runtime. */
export class AnsweringPaths {
  readonly #doors: { readonly system: System; readonly clock: Clock };
  /** Whether they answered, by the paths. */
  readonly #asking = new Map<string, Promise<boolean>>();

  constructor(doors: { readonly system: System; readonly clock: Clock }) {
    this.#doors = doors;
  }

  /** Resolves once all of them answer, be it that they are not there. Throws RuntimeError when one does not. */
  async check(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const late = Promise.withResolvers<boolean>();
    const timer = this.#doors.clock.timer(ANSWER_MS, () => late.resolve(false));
    const answered = await Promise.race([this.#ask(paths), late.promise]);
    timer.cancel();
    if (answered) return;
    const why = `a volume does not answer: a file system of ${paths.join(', ')} hangs`;
    throw new RuntimeError('CreateContainerError', why);
  }

  #ask(paths: readonly string[]): Promise<boolean> {
    const key = paths.join('\0');
    const known = this.#asking.get(key);
    if (known) return known;
    const { system, clock } = this.#doors;
    const due = clock.monotonic() + ANSWER_MS;
    // What is not there is told where it is used.
    const asked = system
      .run('stat', ['--dereference', '--', ...paths], { timeoutMs: ANSWER_MS })
      .then(
        () => true,
        () => clock.monotonic() < due,
      )
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }
}
