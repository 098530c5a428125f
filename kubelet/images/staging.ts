// Work in progress below a store: directories that are filled, and leases on what an image that is being made needs.
// Invariants: each is named after the process that works on it and the boot it runs in, so that what a dead one left is told from what
// lives, and is removed; what a live lease names is not pruned.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../system/remove-tree.ts';
import type { System } from '../../system/system.ts';

/** Keeps digests from being pruned until it is released. */
export interface Lease {
  release(): void;
}

/** Owner of what nobody works on: no process has this number. */
const NOBODY = '0-0';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Leases of this process so far: each has a file of its own. */
let leases = 0;

/** A store's place for work in progress. */
export class Staging {
  readonly #system: System;
  readonly #work: string;
  readonly #leases: string;
  /** A process of the next boot may have the number of one of this, and its start: that is counted from the boot. */
  readonly #boot: string;
  readonly #owner: string;

  constructor(system: System, dir: string) {
    this.#system = system;
    this.#work = join(dir, 'staging');
    this.#leases = join(dir, 'leases');
    for (const path of [this.#work, this.#leases])
      mkdirSync(path, { recursive: true, mode: 0o700 });
    this.#boot = (system.read(BOOT_ID) ?? '').replace(/[^0-9a-z]/gi, '');
    this.#owner = `${process.pid}-${system.processStart(process.pid) ?? 0}-${this.#boot}`;
  }

  /** A fresh directory; the caller removes it. */
  directory(): string {
    return mkdtempSync(join(this.#work, `${this.#owner}-`));
  }

  /** A fresh directory that nobody works on: what is put there goes with what processes that are gone have left. */
  trash(): string {
    return mkdtempSync(join(this.#work, `${NOBODY}-`));
  }

  /** Removes a directory of it, whatever an image has put there. */
  remove(directory: string): Promise<void> {
    return removeTree(this.#system, directory);
  }

  /** Keeps what these digests name: blobs and layers that are there, or will be. */
  lease(digests: readonly string[]): Lease {
    const path = join(this.#leases, `${this.#owner}-${leases++}.json`);
    writeFileSync(path, JSON.stringify(digests));
    return { release: () => rmSync(path, { force: true }) };
  }

  /** Digests that live leases name. Leases of the dead are removed. */
  leased(): ReadonlySet<string> {
    const kept = new Set<string>();
    for (const name of readdirSync(this.#leases)) {
      const path = join(this.#leases, name);
      if (this.#isAlive(name)) for (const digest of digestsIn(path)) kept.add(digest);
      else rmSync(path, { force: true });
    }
    return kept;
  }

  /** Removes what processes that are gone have left. */
  async removeAbandoned(): Promise<void> {
    for (const name of readdirSync(this.#work))
      if (!this.#isAlive(name)) await this.remove(join(this.#work, name));
    this.leased();
  }

  #isAlive(name: string): boolean {
    const [pid = '', start = '', boot] = name.split('-');
    const isNow = boot === this.#boot && /^\d+$/.test(pid);
    return isNow && this.#system.processStart(Number(pid)) === start;
  }
}

function digestsIn(path: string): readonly string[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as string[];
  } catch {
    // Released, or about to be written: what it names is not there yet.
    return [];
  }
}
