// Texts as they stand in indented source code, such as YAML in a template literal.
// Invariant: lines keep their places to one another; a text with a line at the margin is as it was.

/** The text without the blanks that each of its lines begins with; lines of blanks alone do not count. */
export function withoutIndentation(text: string): string {
  const lines = text.split('\n');
  const common = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.slice(0, line.search(/[^ \t]/)))
    .reduce(commonStart, undefined);
  return lines.map((line) => line.slice(common?.length)).join('\n');
}

function commonStart(one: string | undefined, other: string): string {
  if (one === undefined) return other;
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return one.slice(0, length);
}
