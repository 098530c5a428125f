// Removes images that nothing uses, when their file system fills up, when they are too old, or when somebody needs the room now.
// Rules, figures and words are upstream's (imageGC…); beyond them an image that was loaded by hand stays, for nobody could pull it again.
// Invariants: an image in use stays, and so does one that came less than imageMinimumGCAge ago; the one unused for longest goes first.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import { type KubeletConfiguration, msOf } from '../configuration.ts';
import type { ImageInfo, ImageStore } from '../runtime/runtime.ts';
import { isNamedByHand } from './image-ref.ts';

/** How often room and ages are looked at, as upstream. */
export const COLLECT_EVERY_MS = 5 * 60_000;

/** What a collector needs. */
export interface CollectorParts {
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly configuration: Pick<
    KubeletConfiguration,
    | 'imageGCHighThresholdPercent'
    | 'imageGCLowThresholdPercent'
    | 'imageMinimumGCAge'
    | 'imageMaximumGCAge'
  >;
  /** Ids of images that containers or volumes are made from. */
  readonly inUse: () => Promise<ReadonlySet<string>>;
  /** Tells something about the node. */
  readonly tell: (note: EventNote) => void;
  /** The images that are left after some were removed. */
  readonly onRemoved: (left: ReadonlySet<string>) => void;
}

interface Seen {
  readonly firstMs: number;
  lastUsedMs: number;
}

/** Images that may go, the one unused for longest first. */
interface Candidate extends Seen {
  readonly image: ImageInfo;
}

/** Collects the images of one node. */
export class ImageCollector {
  readonly #parts: CollectorParts;
  readonly #seen = new Map<string, Seen>();
  readonly #begunMs: number;
  #failures = 0;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
    this.#begunMs = parts.clock.now();
  }

  /** Looks until the signal aborts; at once over where the store removes nothing. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { images, clock } = this.#parts;
    if (!images.remove || !images.usage) return;
    while (!signal.aborted) {
      await this.collect();
      await clock.sleep(COLLECT_EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** One look: what is too old goes, and as much more as the file system needs. Never rejects. */
  async collect(): Promise<void> {
    const { logger, tell } = this.#parts;
    try {
      const removed = await this.#removeOld(await this.#look());
      await this.#makeRoom(removed);
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      const { message } = error as Error;
      // Once may be a matter of the start.
      if (this.#failures > 1) tell({ type: 'Warning', reason: 'ImageGCFailed', message });
      logger.warn('images could not be collected', { err: error });
    }
  }

  /** Removes every image that nothing uses, however young; answers the bytes that became free. */
  async reclaim(): Promise<number> {
    return this.#free(await this.#look(), Infinity);
  }

  /** What may go now. Uses are learnt on the way. */
  async #look(): Promise<readonly Candidate[]> {
    const { images, clock, inUse } = this.#parts;
    const [all, used] = await Promise.all([images.list(), inUse()]);
    const nowMs = clock.now();
    const here = new Set(all.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!here.has(id)) this.#seen.delete(id);
    const free: Candidate[] = [];
    for (const image of all) {
      const seen = this.#seen.get(image.id) ?? { firstMs: nowMs, lastUsedMs: 0 };
      if (used.has(image.id)) seen.lastUsedMs = nowMs;
      this.#seen.set(image.id, seen);
      const isPulled =
        image.repoDigests.length > 0 && !image.names.some((name) => isNamedByHand(image, name));
      const mayGo = isPulled && !used.has(image.id) && !image.pinned;
      if (mayGo) free.push({ ...seen, image });
    }
    return free.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs || a.firstMs - b.firstMs);
  }

  /** Answers those that are left. One never seen in use counts from when this agent began or saw it. */
  async #removeOld(candidates: readonly Candidate[]): Promise<readonly Candidate[]> {
    const maxMs = msOf(this.#parts.configuration.imageMaximumGCAge);
    const nowMs = this.#parts.clock.now();
    if (maxMs === 0) return candidates;
    const isOld = ({ firstMs, lastUsedMs }: Candidate) =>
      nowMs - Math.max(firstMs, lastUsedMs, this.#begunMs) > maxMs;
    await this.#free(candidates.filter(isOld), Infinity);
    return candidates.filter((each) => !isOld(each));
  }

  async #makeRoom(candidates: readonly Candidate[]): Promise<void> {
    const { images, configuration, clock, logger, tell } = this.#parts;
    const usage = await images.usage?.();
    if (!usage) return;
    const { capacityBytes, availableBytes } = usage;
    if (capacityBytes <= 0) {
      const message = 'invalid capacity 0 on image filesystem';
      tell({ type: 'Warning', reason: 'InvalidDiskCapacity', message });
      throw new Error(message);
    }
    const percent = 100 - Math.trunc((availableBytes * 100) / capacityBytes);
    if (percent < configuration.imageGCHighThresholdPercent) return;
    const low = configuration.imageGCLowThresholdPercent;
    const wanted = Math.trunc((capacityBytes * (100 - low)) / 100) - availableBytes;
    logger.info('the file system of images fills up: unused ones are removed', { percent, wanted });
    const youngestMs = clock.now() - msOf(configuration.imageMinimumGCAge);
    const freed = await this.#free(
      candidates.filter(({ firstMs }) => firstMs <= youngestMs),
      wanted,
    );
    if (freed >= wanted) return;
    const message = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`;
    tell({ type: 'Warning', reason: 'FreeDiskSpaceFailed', message });
    throw new Error(message);
  }

  /** Removes in order until so many bytes are free; one that cannot be removed stops no other. */
  async #free(candidates: readonly Candidate[], wantedBytes: number): Promise<number> {
    const { images, logger, onRemoved, inUse } = this.#parts;
    let freed = 0;
    for (const { image } of candidates) {
      if (freed >= wantedBytes) break;
      try {
        // It may have been given to a pod while others were removed.
        if ((await inUse()).has(image.id) || !(await images.remove?.(image.id))) continue;
      } catch (error) {
        logger.warn('an image could not be removed', { image: image.id, err: error });
        continue;
      }
      logger.info('an unused image was removed', { image: image.names[0] ?? image.id });
      this.#seen.delete(image.id);
      freed += image.sizeBytes;
    }
    if (freed > 0) onRemoved(new Set(this.#seen.keys()));
    return freed;
  }
}
