// A traffic report as a page: figures, and charts of what came, what was wanted, what was ready and how busy it was. Pure.
// Invariant: opens from disk with no network, and is the same to the byte for the same report.
import { complaints, FIGURES } from './report-table.ts';
import type { TrafficReport } from './simulate-traffic.ts';
import type { TrafficMinute } from './traffic-day.ts';

/** One line of a chart. */
interface Line {
  readonly name: string;
  readonly color: string;
  readonly values: readonly number[];
  /** Drawn with gaps, to be told from a line of the same colour. */
  readonly dashed?: boolean;
}

const COLORS = [
  '#1d4ed8',
  '#c2410c',
  '#15803d',
  '#7e22ce',
  '#b91c1c',
  '#0e7490',
  '#a16207',
  '#be185d',
  '#4d7c0f',
  '#334155',
];
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [940, 200, 60, 22];
const GRID_LINES = 4;

/** The page's text. */
export function trafficHtml(report: TrafficReport): string {
  const { service, variants } = report;
  const title = `Traffic of ${service}: ${variants.map(({ name }) => name).join(', ')}`;
  const offered = variants[0]?.minutes.map(({ offered: came }) => came / 60) ?? [];
  const each = (of: (row: TrafficMinute) => number, dashed = false) =>
    variants.map(
      ({ name, minutes }, i): Line => ({
        name: dashed ? `${name}, ready` : name,
        color: COLORS[i % COLORS.length] ?? '#000',
        values: minutes.map(of),
        dashed,
      }),
    );
  const charts = [
    chart(report, 'Requests per second', [{ name: 'came', color: '#334155', values: offered }]),
    chart(report, 'Replicas', [
      ...each(({ wanted }) => wanted),
      ...each(({ ready }) => ready, true),
    ]),
    chart(
      report,
      'Use of requested CPU, percent',
      each(({ utilization }) => utilization),
    ),
    chart(
      report,
      'Requests lost per second',
      each(({ lost }) => lost / 60),
    ),
    chart(
      report,
      'Requests per second that waited',
      each(({ delayed }) => delayed / 60),
    ),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: ${WIDTH}px; color: #1b2733; }
table { border-collapse: collapse; } td, th { padding: .25rem .8rem; border-bottom: 1px solid #dde3e8; text-align: right; }
td:first-child, th:first-child { text-align: left; } h2 { font-size: 1.1rem; margin: 1.5rem 0 0; }
p.complaint { color: #b3261e; } svg text { font: 11px system-ui, sans-serif; fill: #51606d; }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${figuresTable(report)}
${complaints(variants)
  .map((each) => `<p class="complaint">${escaped(each)}</p>`)
  .join('\n')}
${charts.join('\n')}
</body>
</html>
`;
}

function figuresTable({ variants }: TrafficReport): string {
  const head = variants.map(({ name }) => `<th>${escaped(name)}</th>`).join('');
  const rows = FIGURES.map(
    ([words, shown]) =>
      `<tr><td>${escaped(words)}</td>${variants.map(({ summary }) => `<td>${escaped(shown(summary))}</td>`).join('')}</tr>`,
  );
  return `<table><tr><th></th>${head}</tr>\n${rows.join('\n')}</table>`;
}

function chart({ seconds }: TrafficReport, title: string, lines: readonly Line[]): string {
  const top = niceTop(lines.reduce((most, { values }) => values.reduce(larger, most), 0));
  const legend = lines.map(
    ({ name, color, dashed }) =>
      `<span style="color:${color}">${dashed ? '┄' : '━'} ${escaped(name)}</span>`,
  );
  const paths = lines.map(
    ({ values, color, dashed }) =>
      `<polyline fill="none" stroke="${color}" stroke-width="1.5"${dashed ? ' stroke-dasharray="3 3"' : ''} points="${pointsOf(values, top)}"/>`,
  );
  return `<h2>${escaped(title)}</h2>
<div>${legend.join(' &nbsp; ')}</div>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(title)}">
${grid(top)}
${hours(seconds)}
${paths.join('\n')}
</svg>`;
}

const larger = (a: number, b: number): number => Math.max(a, b);

function pointsOf(values: readonly number[], top: number): string {
  const step = (WIDTH - LEFT) / Math.max(1, values.length - 1);
  return values.map((value, i) => `${(LEFT + i * step).toFixed(1)},${yOf(value, top)}`).join(' ');
}

const yOf = (value: number, top: number): string =>
  ((HEIGHT - BOTTOM) * (1 - value / top) + 4).toFixed(1);

function grid(top: number): string {
  return Array.from({ length: GRID_LINES + 1 }, (_, i) => {
    const value = (top * i) / GRID_LINES;
    const y = yOf(value, top);
    return `<line x1="${LEFT}" x2="${WIDTH}" y1="${y}" y2="${y}" stroke="#e5eaee"/><text x="${LEFT - 6}" y="${y}" text-anchor="end">${Number(value.toFixed(2))}</text>`;
  }).join('\n');
}

/** Marks of time: an hour, or as many as keep them apart. */
function hours(seconds: number): string {
  const all = seconds / 3600;
  const step = [0.25, 0.5, 1, 2, 4, 6, 12, 24].find((each) => all / each <= 13) ?? 24;
  const count = Math.floor(all / step);
  return Array.from({ length: count + 1 }, (_, i) => {
    const x = (LEFT + ((WIDTH - LEFT) * i * step) / all).toFixed(1);
    return `<text x="${x}" y="${HEIGHT - 4}" text-anchor="${i === 0 ? 'start' : 'end'}">${i * step} h</text>`;
  }).join('\n');
}

/** The next figure of one, two or five that is round. */
function niceTop(most: number): number {
  if (most <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 4, 5, 10].find((each) => each * unit >= most) ?? 10) * unit;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
