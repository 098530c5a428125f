// What running containers use, read from their control groups by any runtime that puts them there.
// Invariant: no figure is older than MAX_AGE_MS, and a container that sleeps costs one file.
import type { Clock } from '../../base/clock.ts';
import type { Cgroups, CgroupUsage } from '../../system/cgroups.ts';
import type { ContainerStats } from './runtime.ts';

/** Memory of a group in which nothing ran may all the same become less, as when the kernel takes its caches back: it is read anew after this. */
const MAX_AGE_MS = 10_000;

/** A running container and its group. */
export interface ContainerGroup {
  readonly containerId: string;
  readonly podUid: string;
  readonly name: string;
  readonly path: string;
}

interface Known {
  readonly usage: CgroupUsage;
  readonly readAtMs: number;
}

/** The use of one runtime's containers. */
export class ContainerUsages {
  readonly #cgroups: Pick<Cgroups, 'usage'>;
  readonly #clock: Clock;
  /** What was read last, of those that were there then. */
  #known: ReadonlyMap<string, Known> = new Map();

  constructor(cgroups: Pick<Cgroups, 'usage'>, clock: Clock) {
    this.#cgroups = cgroups;
    this.#clock = clock;
  }

  /** The figures of all of them now; those whose group is gone are left out. */
  stats(groups: Iterable<ContainerGroup>): ContainerStats[] {
    const known = new Map<string, Known>();
    const stats: ContainerStats[] = [];
    for (const { containerId, podUid, name, path } of groups) {
      const now = this.#read(containerId, path);
      if (!now) continue;
      known.set(containerId, now);
      stats.push({ containerId, podUid, name, timestampMs: this.#clock.now(), ...now.usage });
    }
    this.#known = known;
    return stats;
  }

  #read(containerId: string, path: string): Known | undefined {
    const before = this.#known.get(containerId);
    const readAtMs = this.#clock.monotonic();
    const isFresh = before !== undefined && readAtMs - before.readAtMs < MAX_AGE_MS;
    const usage = this.#cgroups.usage(path, isFresh ? before.usage : undefined);
    return usage && (usage === before?.usage ? before : { usage, readAtMs });
  }
}
