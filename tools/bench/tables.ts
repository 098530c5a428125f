// The figures of a run as Markdown tables.
import type { Figure } from './part.ts';

const number = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;

const HEAD = ['what', 'clients', 'measured', 'goal', 'p99', 'server CPU each', 'longest turn'];
const BARE_HEAD = ['bare node:https', 'its CPU each'];

function loadTable(figures: readonly Figure[]): string {
  const heads = [...HEAD, ...BARE_HEAD];
  const lines = figures.map(({ what, value, unit, goal = '', load }) =>
    row([
      what,
      String(load?.clients),
      `${number(value)} ${unit}`,
      goal,
      `${number(load?.p99 ?? 0)} ms`,
      `${number(load?.serverCpuUs ?? 0)} µs`,
      `${number(load?.longestTurn ?? 0)} ms`,
      load?.bare ? `${number(load.bare.perSecond)} /s` : '',
      load?.bare ? `${number(load.bare.serverCpuUs)} µs` : '',
    ]),
  );
  return row(heads) + row(heads.map(() => '---')) + lines.join('');
}

function plainTable(figures: readonly Figure[]): string {
  const lines = figures.map(({ what, value, unit, goal = '' }) =>
    row([what, `${number(value)} ${unit}`, goal]),
  );
  return row(['what', 'measured', 'goal']) + row(['---', '---', '---']) + lines.join('');
}

/** Both tables: requests to the API server, and everything else. */
export function tables(figures: readonly Figure[]): string {
  const loads = figures.filter(({ load }) => load);
  const others = figures.filter(({ load }) => !load);
  return [
    ...(loads.length > 0 ? [loadTable(loads)] : []),
    ...(others.length > 0 ? [plainTable(others)] : []),
  ].join('\n');
}
