// How large a pattern becomes when its repetitions are written out: known before it is compiled, which takes that long.
// Invariant: time linear in the text, whatever it is; never less than the pattern's states, within a small factor. Reads no
// more of the grammar than that takes: whether it is a pattern at all is for the compiler. What has no end goes to the text's.

const PART =
  /\\[pP](?:\{[^}]*(?:\}|$)|.)|\\x\{[0-9A-Fa-f]*\}|\\Q[^]*?(?:\\E|$)|\\[^]|\[\^?\]?(?:\\[^]?|\[:\^?[a-z]{1,10}:\]|[^\]\\])*(?:\]|$)|\{(\d{1,4})(?:,(\d{0,4}))?\}|[^]/gu;
/** Classes by Unicode property are tables, which are made once, however often they are repeated. */
const PROPERTY = 50;
/** Characters of a class that take as long as a part does. */
const CLASS_CHARS = 4;
/** Where cases are alike, each character of a range is looked at, up to the last that has two: so many take as long as a part. */
const FOLDED_CHARS = 80;
const LAST_FOLDED = 0x1e943;
const FOLDS = /\(\?[A-Za-z]*i/;
const RANGE_END = /-(?:\\x\{?([0-9A-Fa-f]+)|([^\0-\x7f]))/gu;

/** A text that is longer is larger than any limit. */
const LONGEST_READ = 100_000;

/** Parts, each as often as it is repeated. Texts of more than 100,000 characters are not read: as many parts as characters. */
export function patternSize(text: string): number {
  if (text.length > LONGEST_READ) return text.length;
  const outer: number[] = [];
  const folds = FOLDS.test(text);
  let whole = 0;
  let last = 0;
  let tables = 0;
  for (const [part, least, most] of text.matchAll(PART)) {
    if (least !== undefined) {
      const times = Math.max(Number(least), Number(most ?? 0), 1);
      whole += last * (times - 1);
      last *= times;
    } else if (part === '(') {
      outer.push(whole);
      [whole, last] = [0, 0];
    } else if (part === ')') {
      last = whole + 1;
      whole = (outer.pop() ?? 0) + last;
    } else {
      last = part.startsWith('\\Q') ? part.length : 1;
      whole += last;
      if (part.length > 1) tables += tableSize(part, folds);
    }
  }
  return outer.reduce((sum, size) => sum + size, whole + tables);
}

/** What making the table of a class takes, in parts. */
function tableSize(part: string, folds: boolean): number {
  if (!part.startsWith('[')) return /^\\[pP]/.test(part) ? PROPERTY : 0;
  let size = Math.floor(part.length / CLASS_CHARS);
  size += PROPERTY * (part.match(/\\[pP]/g)?.length ?? 0);
  if (!folds) return size;
  for (const [, hex, char] of part.matchAll(RANGE_END)) {
    const end = hex === undefined ? (char?.codePointAt(0) ?? 0) : Number.parseInt(hex, 16);
    size += Math.ceil(Math.min(end, LAST_FOLDED) / FOLDED_CHARS);
  }
  return size;
}
