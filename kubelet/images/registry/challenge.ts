// What a registry asks for in WWW-Authenticate (RFC 9110, section 11.6.1): schemes with their parameters. Pure.
// Invariant: what is malformed asks for nothing; no header, however long, takes more than linear time.

/** One way to prove who asks. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[\w!#$%&'*+.^`|~-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const GAP = /[\s,]*/y;
const EQUALS = /\s*=\s*/y;
const MAX_HEADER_LENGTH = 8192;

/** The challenges in order. */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, MAX_HEADER_LENGTH);
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match?.[1] ?? match?.[0];
  };
  for (take(GAP); at < text.length; take(GAP)) {
    const word = take(TOKEN);
    if (word === undefined) return found;
    if (take(EQUALS) === undefined) {
      found.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    const value = text[at] === '"' ? take(QUOTED)?.replaceAll(/\\(.)/g, '$1') : take(TOKEN);
    if (value === undefined) return found;
    found.at(-1)?.parameters.set(word.toLowerCase(), value);
  }
  return found;
}
