// A map in key order: sorted blocks of bounded size, found by binary search.
// Costs: look-up O(log n); a range that was empty at the last look O(1); insert and delete O(log n + BLOCK_MAX + n / BLOCK_MAX); a range O(log n + its length).
// Keys are ASCII, so the order of JavaScript strings is the order of their bytes.

/** The largest number of keys in one block; a fuller one is split in two. */
const BLOCK_MAX = 512;
/** Prefixes that are known to have no key, at most; one more, and all of them are looked for anew. */
export const MAX_EMPTY_PREFIXES = 1_000;

interface Block<V> {
  readonly keys: string[];
  readonly values: V[];
}

/** Where a key range starts and stops. `from` is inclusive, `after` exclusive; `prefix` ends the range. */
export interface RangeBounds {
  readonly prefix: string;
  readonly after?: string | undefined;
}

/** Values by key, iterable in key order from anywhere. */
export class OrderedMap<V> {
  #blocks: Block<V>[] = [];
  #size = 0;
  /** Prefixes, each ending in a slash, that had no key when they were asked for last. */
  readonly #empty = new Set<string>();

  /** How many keys. */
  get size(): number {
    return this.#size;
  }

  /** The value of a key. */
  get(key: string): V | undefined {
    const block = this.#blocks[this.#blockOf(key)];
    if (!block) return undefined;
    const index = lowerBound(block.keys, key);
    return block.keys[index] === key ? block.values[index] : undefined;
  }

  /** Adds or replaces a value. */
  set(key: string, value: V): void {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (!block) {
      this.#noteFilled(key);
      this.#blocks.push({ keys: [key], values: [value] });
      this.#size = 1;
      return;
    }
    const index = lowerBound(block.keys, key);
    if (block.keys[index] === key) {
      block.values[index] = value;
      return;
    }
    this.#noteFilled(key);
    block.keys.splice(index, 0, key);
    block.values.splice(index, 0, value);
    this.#size++;
    if (block.keys.length > BLOCK_MAX) this.#split(at);
  }

  /** Removes a key; false when it was not there. */
  delete(key: string): boolean {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (!block) return false;
    const index = lowerBound(block.keys, key);
    if (block.keys[index] !== key) return false;
    block.keys.splice(index, 1);
    block.values.splice(index, 1);
    this.#size--;
    if (block.keys.length === 0) this.#blocks.splice(at, 1);
    return true;
  }

  /** Values whose key starts with the prefix, in order. The map must not change while the range is read. */
  *range(bounds: RangeBounds): Generator<V, void> {
    const { prefix } = bounds;
    let { at, index } = this.#start(bounds);
    for (; at < this.#blocks.length; at++, index = 0) {
      const { keys, values } = this.#blocks[at] as Block<V>;
      for (; index < keys.length; index++) {
        if (!(keys[index] as string).startsWith(prefix)) return;
        yield values[index] as V;
      }
    }
  }

  /** At most `limit` values of a range, and how many more it has. */
  slice(bounds: RangeBounds, limit: number): { values: V[]; remaining: number } {
    // Most collections that every write looks into, such as LimitRanges, are empty; to search for them anew is to wait for
    // memory at each step.
    if (this.#empty.has(bounds.prefix)) return { values: [], remaining: 0 };
    const from = this.#start(bounds);
    if (!this.#blocks[from.at]?.keys[from.index]?.startsWith(bounds.prefix)) {
      if (bounds.after === undefined) this.#noteEmpty(bounds.prefix);
      return { values: [], remaining: 0 };
    }
    const end = this.#position(`${bounds.prefix}\uffff`);
    const total = this.#distance(from, end);
    const values: V[] = [];
    let { at, index } = from;
    for (; values.length < limit && values.length < total; at++, index = 0) {
      const block = this.#blocks[at] as Block<V>;
      const take = Math.min(limit, total) - values.length;
      for (const value of block.values.slice(index, index + take)) values.push(value);
    }
    return { values, remaining: total - values.length };
  }

  #noteEmpty(prefix: string): void {
    if (!prefix.endsWith('/')) return;
    if (this.#empty.size >= MAX_EMPTY_PREFIXES) this.#empty.clear();
    this.#empty.add(prefix);
  }

  /** A new key is there: none of its prefixes is empty any more. */
  #noteFilled(key: string): void {
    if (this.#empty.size === 0) return;
    for (let end = key.indexOf('/'); end >= 0; end = key.indexOf('/', end + 1))
      this.#empty.delete(key.slice(0, end + 1));
  }

  #start({ prefix, after }: RangeBounds): { at: number; index: number } {
    if (after === undefined || after < prefix) return this.#position(prefix);
    return this.#position(`${after}\0`);
  }

  #position(key: string): { at: number; index: number } {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    const index = block ? lowerBound(block.keys, key) : 0;
    return block && index === block.keys.length ? { at: at + 1, index: 0 } : { at, index };
  }

  #distance(from: { at: number; index: number }, to: { at: number; index: number }): number {
    if (from.at > to.at) return 0;
    let total = to.index - from.index;
    for (let at = from.at; at < to.at; at++) total += this.#blocks[at]?.keys.length ?? 0;
    return Math.max(0, total);
  }

  /** The last block whose first key is not after `key`. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#blocks[middle]?.keys[0] as string) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #split(at: number): void {
    const block = this.#blocks[at] as Block<V>;
    const half = block.keys.length >> 1;
    this.#blocks.splice(at + 1, 0, {
      keys: block.keys.splice(half),
      values: block.values.splice(half),
    });
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
