// How large a pattern becomes when its repetitions are written out: known before it is compiled, which takes that long.
// Invariant: time linear in the text; never less than the pattern's states, within a small factor. Reads no more of the
// grammar than that takes: whether it is a pattern at all is for the compiler.

const PART =
  /\\[pP](?:\{[^}]*\}|.)|\\[^]|\[(?:\\[^]|[^\]\\])*\]|\{(\d{1,4})(?:,(\d{0,4}))?\}|[^]/gu;
/** Classes by Unicode property are tables. */
const PROPERTY = 50;

/** Parts, each as often as it is repeated. */
export function patternSize(text: string): number {
  const outer: number[] = [];
  let whole = 0;
  let last = 0;
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
      last = /\\[pP]/.test(part) ? PROPERTY : 1;
      whole += last;
    }
  }
  return outer.reduce((sum, size) => sum + size, whole);
}
