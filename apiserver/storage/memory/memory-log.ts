// Rows in memory: for tests and simulation. Everything is durable at once, and nothing survives the process.
// Invariant: the versions of a key are in revision order, and the first is the newest at or below the compaction point.
import type { EventLog, LogContents, LogPage } from '../event-log.ts';
import { OrderedMap } from '../ordered-map.ts';
import type { Page, StorageEvent, Stored } from '../storage.ts';

/** An EventLog of arrays. */
export class MemoryLog implements EventLog {
  /** Events after `#oldest`, one per revision. */
  #events: StorageEvent[] = [];
  #oldest = 0n;
  #bytes = 0;
  readonly #versions = new OrderedMap<StorageEvent[]>();

  schedule(fn: () => void): void {
    queueMicrotask(fn);
  }

  load(): LogContents {
    return { live: [], oldest: 0n, newest: 0n };
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

  async close(): Promise<void> {
    this.#events = [];
  }
}
