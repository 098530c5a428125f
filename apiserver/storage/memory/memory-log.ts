// Rows in memory: for tests and simulation. Everything is durable at once, and nothing survives the process.
// A store may begin as another one was at a revision: its objects, without the history that led there.
// Invariant: the versions of a key are in revision order, and the first is the newest at or below the compaction point.
import type { EventLog, LogContents, LogPage } from '../event-log.ts';
import { OrderedMap } from '../ordered-map.ts';
import type { Page, StorageEvent, Stored } from '../storage.ts';

/** The objects of a store at a revision. Nobody may change their bytes: stores that begin with them share them. */
export interface StoreImage {
  readonly live: readonly Stored[];
  readonly revision: bigint;
}

/** An EventLog of arrays. */
export class MemoryLog implements EventLog {
  /** Events after `#oldest`, one per revision. */
  #events: StorageEvent[] = [];
  #oldest = 0n;
  #bytes = 0;
  readonly #versions = new OrderedMap<StorageEvent[]>();
  readonly #image: StoreImage;

  /** Empty, or with the objects of `image` and from its revision on. */
  constructor(image: StoreImage = { live: [], revision: 0n }) {
    this.#image = image;
    this.#oldest = image.revision;
    for (const value of image.live) {
      const { key, revision } = value;
      this.#versions.set(key, [{ type: 'put', key, revision, value, previous: undefined }]);
    }
  }

  schedule(fn: () => void): void {
    queueMicrotask(fn);
  }

  load(): LogContents {
    const { live, revision } = this.#image;
    return { live, oldest: revision, newest: revision };
  }

  async append(events: readonly StorageEvent[]): Promise<void> {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += event.value.bytes.length;
      const versions = this.#versions.get(event.key);
      if (versions) versions.push(event);
      else this.#versions.set(event.key, [event]);
    }
  }

  read(after: bigint, limit: number): StorageEvent[] {
    const start = Math.max(0, Number(after - this.#oldest));
    return this.#events.slice(start, start + limit);
  }

  async page({ prefix, after, limit, at }: LogPage): Promise<Pick<Page, 'items' | 'more'>> {
    const items: Stored[] = [];
    for (const versions of this.#versions.range({ prefix, after })) {
      const newest = versions.findLast(({ revision }) => revision <= at);
      if (newest?.type !== 'put') continue;
      if (items.length >= limit) return { items, more: true };
      items.push(newest.value);
    }
    return { items, more: false };
  }

  async forget(from: bigint, to: bigint): Promise<void> {
    const gone = this.#events.splice(0, Number(to - from));
    this.#oldest = to;
    for (const { key, value } of gone) {
      this.#bytes -= value.bytes.length;
      const versions = this.#versions.get(key);
      if (!versions) continue;
      const keep = versions.findLastIndex(({ revision }) => revision <= to);
      versions.splice(0, Math.max(0, versions[keep]?.type === 'delete' ? keep + 1 : keep));
      if (versions.length === 0) this.#versions.delete(key);
    }
  }

  historyBytes(): number {
    return this.#bytes;
  }

  sizeBytes(): number {
    let bytes = 0;
    for (const versions of this.#versions.range({ prefix: '', after: undefined }))
      for (const { value } of versions) bytes += value.bytes.length;
    return bytes;
  }

  async close(): Promise<void> {
    this.#events = [];
  }
}
