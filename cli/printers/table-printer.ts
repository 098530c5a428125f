// Prints the server's Tables as kubectl does: upper-case headers, three blanks between columns.
import type { Table, TableRow } from '../../api/wire/table.ts';

/** What to show of a Table. */
export interface TableOptions {
  readonly wide: boolean;
  readonly headers: boolean;
  readonly namespaces: boolean;
  readonly labels: boolean;
  /** Stands before each name, as `pod/`, where several kinds are shown. */
  readonly kind?: string;
}

/** Lays rows out under fixed widths, which later rows (of a watch) may outgrow. */
export class TablePrinter {
  readonly #options: TableOptions;
  #widths: number[] | undefined;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** The text of a Table, its header in front of the first one only. */
  print(table: Table): string {
    const shown = table.columnDefinitions
      .map((column, index) => ({
        name: column.name.toUpperCase(),
        priority: column.priority,
        isName: column.format === 'name',
        index,
      }))
      .filter((column) => this.#options.wide || column.priority === 0);
    const header = [
      ...(this.#options.namespaces ? ['NAMESPACE'] : []),
      ...shown.map((column) => column.name),
      ...(this.#options.labels ? ['LABELS'] : []),
    ];
    const rows = table.rows.map((row) => this.#cells(row, shown));
    const first = this.#widths === undefined;
    this.#widths ??= widthsOf([header, ...rows]);
    const lines = first && this.#options.headers ? [header, ...rows] : rows;
    return lines.map((cells) => this.#line(cells)).join('');
  }

  #cells(row: TableRow, shown: readonly { index: number; isName: boolean }[]): string[] {
    const { kind } = this.#options;
    const cells = shown.map(({ index, isName }) => {
      const cell = String(row.cells[index] ?? '<none>') || '<none>';
      return isName && kind !== undefined ? `${kind}/${cell}` : cell;
    });
    if (this.#options.namespaces) cells.unshift(row.object?.metadata.namespace ?? '');
    if (this.#options.labels) {
      const labels = Object.entries(row.object?.metadata.labels ?? {});
      cells.push(labels.map(([key, value]) => `${key}=${value}`).join(',') || '<none>');
    }
    return cells;
  }

  #line(cells: readonly string[]): string {
    const padded = cells.map((cell, i) =>
      i === cells.length - 1 ? cell : cell.padEnd((this.#widths?.[i] ?? 0) + 3),
    );
    return `${padded.join('').trimEnd()}\n`;
  }
}

function widthsOf(lines: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const line of lines)
    line.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return widths;
}
