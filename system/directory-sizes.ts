// How much directories hold, counted by du(1) in a process of its own: a walk never keeps this one from its work.
// Invariants: one walk at a time, in idle priority and with an end; what is asked meanwhile is walked together afterwards.
import { CommandError, type System } from './system.ts';

/** A walk that takes longer is given up: its directories are of unknown size then. */
const WALK_TIMEOUT_MS = 60_000;

/** What is counted: bytes on the disk, or files and directories. */
export type SizeUnit = 'bytes' | 'inodes';

/** Directories that were asked for together. */
type Batch = Map<string, PromiseWithResolvers<number | undefined>>;

/** Sizes of directories. */
export class DirectorySizes {
  readonly #system: System;
  readonly #waiting: Readonly<Record<SizeUnit, Batch>> = { bytes: new Map(), inodes: new Map() };
  #isWalking = false;

  constructor(system: System) {
    this.#system = system;
  }

  /** The size of a directory, on its own file system only; undefined where there is none, or the walk took too long. Never rejects. */
  of(path: string, unit: SizeUnit): Promise<number | undefined> {
    const waiting = this.#waiting[unit];
    const known = waiting.get(path) ?? Promise.withResolvers<number | undefined>();
    waiting.set(path, known);
    if (!this.#isWalking) void this.#walkAll();
    return known.promise;
  }

  /** Never rejects. */
  async #walkAll(): Promise<void> {
    this.#isWalking = true;
    // What is asked for in one turn is walked as one.
    await Promise.resolve();
    while (this.#waiting.bytes.size + this.#waiting.inodes.size > 0) {
      await this.#walk('bytes');
      await this.#walk('inodes');
    }
    this.#isWalking = false;
  }

  async #walk(unit: SizeUnit): Promise<void> {
    const batch: Batch = new Map(this.#waiting[unit]);
    if (batch.size === 0) return;
    this.#waiting[unit].clear();
    const sizes = await this.#measure([...batch.keys()], unit);
    for (const [path, { resolve }] of batch) resolve(sizes.get(path));
  }

  async #measure(paths: readonly string[], unit: SizeUnit): Promise<ReadonlyMap<string, number>> {
    const what = unit === 'bytes' ? '--block-size=1' : '--inodes';
    const args = ['-n', '19', 'du', '-s', '-x', '-0', what, '--files0-from=-'];
    const input = paths.map((path) => `${path}\0`).join('');
    try {
      const { stdout } = await this.#system.run('nice', args, {
        input,
        timeoutMs: WALK_TIMEOUT_MS,
      });
      return sizesIn(stdout);
    } catch (error) {
      // A directory that has gone meanwhile makes du fail; what it said of the others holds.
      return error instanceof CommandError ? sizesIn(error.stdout) : new Map();
    }
  }
}

/** Lines of a size, a tab and a path, each ended by a zero byte. */
function sizesIn(stdout: string): ReadonlyMap<string, number> {
  return new Map(
    stdout.split('\0').flatMap((line): [string, number][] => {
      const tab = line.indexOf('\t');
      return tab < 0 ? [] : [[line.slice(tab + 1), Number(line.slice(0, tab))]];
    }),
  );
}
