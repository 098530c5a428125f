// What pods have written to disks, walked when somebody asks and remembered for a minute.
// Invariants: one walk at a time, whoever asks; who asks while one is under way waits for it, and no longer than so long.
import type { Pod } from '../../api/generated/types.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { HostUsage, PodDiskUsage } from '../host/host-usage.ts';
import type { ContainerRuntime, ContainerStatus } from '../runtime/runtime.ts';

/** How old figures of disks may be, as upstream's of volumes. */
export const DISK_FIGURES_TTL_MS = 60_000;
/** Longest wait for a walk; who has waited so long gets what was known before. */
export const WALK_PATIENCE_MS = 5_000;

/** One pod's. */
export interface PodDisk extends PodDiskUsage {
  /** Writable layers by container id. */
  readonly layers: ReadonlyMap<string, number>;
  readonly atMs: number;
}

/** What walking needs. */
export interface DiskDoors {
  readonly clock: Clock;
  readonly usage: HostUsage;
  readonly runtime: Pick<ContainerRuntime, 'writableLayers'>;
}

/** The figures of one node. */
export class DiskFigures {
  readonly #doors: DiskDoors;
  #known: ReadonlyMap<string, PodDisk> = new Map();
  #walkedAtMs = -Infinity;
  #walk: Promise<void> | undefined;

  constructor(doors: DiskDoors) {
    this.#doors = doors;
  }

  /** By pod's uid. Never rejects. */
  async of(
    pods: readonly Pod[],
    running: readonly ContainerStatus[],
  ): Promise<ReadonlyMap<string, PodDisk>> {
    const { clock } = this.#doors;
    if (clock.monotonic() - this.#walkedAtMs < DISK_FIGURES_TTL_MS) return this.#known;
    this.#walk ??= this.#walkAll(pods, running).finally(() => {
      this.#walk = undefined;
    });
    let timer: Timer | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = clock.timer(WALK_PATIENCE_MS, resolve);
    });
    await Promise.race([this.#walk, patience]);
    timer?.cancel();
    return this.#known;
  }

  /** All in one turn, which the host and the runtime walk together. */
  async #walkAll(pods: readonly Pod[], running: readonly ContainerStatus[]): Promise<void> {
    const { clock, usage, runtime } = this.#doors;
    const byPod = Map.groupBy(running, ({ podUid }) => podUid);
    const walked = pods.filter(({ metadata }) => byPod.has(metadata.uid ?? ''));
    const layersOf = runtime.writableLayers?.(
      running.map(({ id }) => id),
      'bytes',
    );
    const [layers, ...own] = await Promise.all([
      (layersOf ?? Promise.resolve(new Map<string, number>())).catch(() => NONE),
      ...walked.map((pod) => usage.of(pod, 'bytes')),
    ]);
    const atMs = clock.now();
    this.#known = new Map(
      walked.flatMap(({ metadata: { uid = '' } }, i): [string, PodDisk][] => {
        const disk = own[i];
        return disk
          ? [[uid, { ...disk, layers: layersIn(byPod.get(uid) ?? [], layers), atMs }]]
          : [];
      }),
    );
    this.#walkedAtMs = clock.monotonic();
  }
}

const NONE: ReadonlyMap<string, number> = new Map();

/** Those of some containers, as far as they are known. */
function layersIn(
  containers: readonly ContainerStatus[],
  layers: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const known = containers.map(({ id }) => [id, layers.get(id)] as const);
  return new Map(known.filter((each): each is [string, number] => each[1] !== undefined));
}
