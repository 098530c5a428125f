// Texts that match a pattern, for samples: a walk through the pattern that takes one of its ways at random.
// Invariant: takes time linear in pattern and text; what it does not understand it takes literally, so callers check what they get.
import type { Random } from '../../../base/random.ts';

/** Of what may be repeated without end, so many more than the least are made. */
const MORE = 4;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const WORD = `${LETTERS}${LETTERS.toUpperCase()}${DIGITS}_`;
const ESCAPES: Readonly<Record<string, string>> = {
  d: DIGITS,
  w: WORD,
  s: ' ',
  n: '\n',
  t: '\t',
  D: LETTERS,
  W: '-',
  S: LETTERS,
  b: '',
  A: '',
  z: '',
};

/** A text that should match. */
export function matchingText(pattern: string, random: Random): string {
  return new Walk(pattern, random).alternatives();
}

/** An integer from `least` to `most`. */
export function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random.next() * (most - least + 1));
}

/** One of them. */
export function oneOf<T>(random: Random, from: ArrayLike<T>): T {
  return from[between(random, 0, from.length - 1)] as T;
}

class Walk {
  readonly #text: string;
  readonly #random: Random;
  #at = 0;

  constructor(text: string, random: Random) {
    this.#text = text;
    this.#random = random;
  }

  /** All ways up to a closing bracket; one of them is taken. */
  alternatives(): string {
    const ways = [this.#sequence()];
    while (this.#text[this.#at] === '|') {
      this.#at += 1;
      ways.push(this.#sequence());
    }
    return oneOf(this.#random, ways);
  }

  #sequence(): string {
    let made = '';
    while (this.#at < this.#text.length && !')|'.includes(this.#text[this.#at] ?? ''))
      made += this.#repeated();
    return made;
  }

  /** An atom as often as is said behind it: it is read again for each time. */
  #repeated(): string {
    const start = this.#at;
    const first = this.#atom();
    const end = this.#at;
    const [least, most] = this.#times();
    const after = this.#at;
    const times = between(this.#random, least, most);
    let made = times === 0 ? '' : first;
    for (let i = 1; i < times; i++) {
      this.#at = start;
      made += this.#atom();
    }
    this.#at = times > 1 && end > after ? end : after;
    return made;
  }

  #times(): readonly [number, number] {
    const said = /^(?:\?|\*|\+|\{(\d+)(,?)(\d*)\})\??/.exec(
      this.#text.slice(this.#at, this.#at + 24),
    );
    if (said === null) return [1, 1];
    this.#at += said[0].length;
    if (said[0].startsWith('?')) return [0, 1];
    if (said[0].startsWith('*')) return [0, MORE];
    if (said[0].startsWith('+')) return [1, MORE];
    const least = Number(said[1]);
    if (said[2] === '') return [least, least];
    return [least, said[3] === '' ? least + MORE : Math.min(Number(said[3]), least + MORE)];
  }

  #atom(): string {
    const char = this.#text[this.#at++] ?? '';
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#oneOfClass();
      case '.':
        return oneOf(this.#random, LETTERS);
      case '\\':
        return this.#escaped();
      case '^':
      case '$':
        return '';
      default:
        return char;
    }
  }

  #group(): string {
    const kind = /^\?(?:P?<\w+>|[a-zA-Z]*:)/.exec(this.#text.slice(this.#at, this.#at + 40));
    this.#at += kind?.[0].length ?? 0;
    const made = this.alternatives();
    this.#at += 1;
    return made;
  }

  #escaped(): string {
    const char = this.#text[this.#at++] ?? '';
    const from = Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
    if (from === undefined) return char;
    return from === '' ? '' : oneOf(this.#random, from);
  }

  #oneOfClass(): string {
    const negated = this.#text[this.#at] === '^';
    if (negated) this.#at += 1;
    let chars = '';
    for (let first = true; ; first = false) {
      const char = this.#text[this.#at++] ?? ']';
      if (char === ']' && !first) break;
      chars += char === '\\' ? this.#classEscape() : this.#range(char);
      if (this.#at > this.#text.length) break;
    }
    if (!negated) return oneOf(this.#random, chars);
    return oneOf(
      this.#random,
      Array.from(WORD).filter((char) => !chars.includes(char)),
    );
  }

  #classEscape(): string {
    const char = this.#text[this.#at++] ?? '';
    return (Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined) ?? char;
  }

  #range(from: string): string {
    const to = this.#text[this.#at + 1];
    if (this.#text[this.#at] !== '-' || to === undefined || to === ']') return from;
    this.#at += 2;
    const [start, end] = [from.charCodeAt(0), to.charCodeAt(0)];
    // Of large ranges a few are enough.
    const count = Math.min(Math.max(0, end - start), 64);
    return String.fromCharCode(...Array.from({ length: count + 1 }, (_, i) => start + i));
  }
}
