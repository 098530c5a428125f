// How large patterns may be together, in an expression or in all that is stored with it.
// Invariant: what is let in is never larger than the allowance, a pattern counts once, and asking costs no more than reading.
import { patternSize } from './library/pattern-size.ts';
import { MAX_DEFINITION_PATTERNS_SIZE } from './limits.ts';

/** Room for patterns. Belongs to one check of one expression or definition. */
export class PatternAllowance {
  readonly #most: number;
  readonly #of: string;
  readonly #known = new Set<string>();
  #size = 0;

  /** `most` in parts (patternSize); `of` is what the patterns stand in, with its article. */
  constructor(most: number, of: string) {
    this.#most = most;
    this.#of = of;
  }

  /** Is there room for it? What was let in before takes none. */
  admits(pattern: string): boolean {
    if (this.#known.has(pattern)) return true;
    const size = patternSize(pattern);
    if (this.#size + size > this.#most) return false;
    this.keep(pattern, size);
    return true;
  }

  /** Lets a pattern in, room or not: it was let in when it was stored. */
  keep(pattern: string, size = patternSize(pattern)): void {
    if (this.#known.has(pattern)) return;
    this.#known.add(pattern);
    this.#size += size;
  }

  /** Why there is no room, for those who wrote the patterns. */
  get fault(): string {
    return `patterns are too large together: at most ${this.#most} parts in ${this.#of}`;
  }
}

/** Room for the patterns in the schemas of a definition, or for those in its rules. */
export function definitionAllowance(): PatternAllowance {
  return new PatternAllowance(MAX_DEFINITION_PATTERNS_SIZE, 'a definition');
}
