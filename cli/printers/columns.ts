// Rows of text under one another, as kubectl lays them out: each column as wide as its widest cell, and a gap behind it.

/** The lines; cells never run together, and no line ends in blanks. */
export function inColumns(rows: readonly (readonly string[])[], gap: number): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd((widths[at] ?? 0) + gap))
      .join('')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}
