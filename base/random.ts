// The door to randomness and ids, so that a run can be repeated from a seed.
// Invariant: nothing outside this file calls Math.random or crypto's random functions (keys and certificates excepted).
import { randomInt, randomUUID } from 'node:crypto';

/** Randomness as a dependency. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A version 4 UUID. */
  uuid(): string;
}

/** Letters and digits that Kubernetes uses in generated names: no vowels, no look-alikes. */
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix for `metadata.generateName`: `length` characters that cannot spell a word. */
export function nameSuffix(random: Random, length = 5): string {
  let suffix = '';
  for (let i = 0; i < length; i++)
    suffix += NAME_ALPHABET[Math.floor(random.next() * NAME_ALPHABET.length)];
  return suffix;
}

/** The host's own randomness. */
export const systemRandom: Random = {
  next: () => randomInt(2 ** 32) / 2 ** 32,
  uuid: () => randomUUID(),
};

/** The same sequence for the same seed (mulberry32; not for secrets). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
  const variant = () => (8 + Math.floor(next() * 4)).toString(16);
  return {
    next,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${variant()}${hex(3)}-${hex(12)}`,
  };
}

/** A seed for one of several users of the same seed, by its name (FNV-1a), so that what one asks for changes nothing for the others. */
export function seedFor(seed: number, name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const character of name) {
    hash ^= character.codePointAt(0) ?? 0;
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
