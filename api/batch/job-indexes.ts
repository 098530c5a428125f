// Lists of indexes as jobs write them: `0,2-4,7`, in growing order, each below the number of completions.
// Invariant: never throws; a text that is no such list answers why, in the words API clients know.

/** The first and the last index of a run of them. */
export type IndexInterval = readonly [first: number, last: number];

/** The runs that the text names, or why it names none. */
export function parseIndexes(text: string, completions: number): IndexInterval[] | string {
  if (text === '') return [];
  const intervals: IndexInterval[] = [];
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions);
    if (typeof interval === 'string') return interval;
    const before = intervals.at(-1)?.[1];
    if (before !== undefined && before >= interval[0]) return notGrowing(before, interval[0]);
    intervals.push(interval);
  }
  return intervals;
}

/** How many indexes they are. */
export function countIndexes(intervals: readonly IndexInterval[]): number {
  return intervals.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** The first index that is in both. */
export function firstCommonIndex(
  some: readonly IndexInterval[],
  others: readonly IndexInterval[],
): number | undefined {
  const rest = [...others];
  for (const [first, last] of some) {
    while (rest[0] !== undefined && rest[0][1] < first) rest.shift();
    const [next] = rest;
    if (next !== undefined && next[0] <= last) return Math.max(first, next[0]);
  }
  return undefined;
}

function parseInterval(text: string, completions: number): IndexInterval | string {
  const parts = text.split('-');
  if (parts.length > 2) {
    return (
      `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can ` +
      "have at most two parts separated by '-'"
    );
  }
  for (const part of parts) {
    if (!/^\+?\d{1,10}$/.test(part)) {
      return `cannot convert string to integer for index: ${JSON.stringify(part)}`;
    }
    if (Number(part) >= completions) return `too large index: ${JSON.stringify(part)}`;
  }
  const [first = 0, last] = parts.map(Number);
  if (last === undefined) return [first, first];
  return first >= last ? notGrowing(first, last) : [first, last];
}

const notGrowing = (previous: number, current: number): string =>
  `non-increasing order, previous: ${previous}, current: ${current}`;
