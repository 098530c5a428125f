// How many keys and items a body may have, whatever its format: each costs memory and time many times over on its way.
// Invariant: pure; ordinary bodies are not looked through, and no body further than the limit.
import { StatusError } from '../status.ts';

/** Keys of maps and items of lists that one body may have; the largest definitions in use have less than half of them. */
export const MAX_BODY_ENTRIES = 100_000;
/** The fewest bytes that an entry takes: `0,`. Bodies with less than these all together are not counted. */
const MIN_ENTRY_BYTES = 2;

/** Throws RequestEntityTooLarge where the value, read off so many bytes, has more entries than a body may have. */
export function checkEntries(value: unknown, bytes: number): void {
  if (bytes >= MAX_BODY_ENTRIES * MIN_ENTRY_BYTES) checkAllEntries(value);
}

/** As checkEntries, for formats whose values may be larger than their bytes (aliases of YAML). */
export function checkAllEntries(value: unknown): void {
  const rest: unknown[] = [value];
  let entries = 0;
  for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const inner = Array.isArray(one) ? (one as unknown[]) : Object.values(one);
    entries += inner.length;
    if (entries > MAX_BODY_ENTRIES)
      throw new StatusError(
        'RequestEntityTooLarge',
        `the body has more than ${MAX_BODY_ENTRIES} keys and list items: send less at a time`,
      );
    for (const each of inner) if (typeof each === 'object' && each !== null) rest.push(each);
  }
}
