// Prometheus' text format, version 0.0.4. Pure.
// Invariant: whatever labels and helps hold, a reader takes each line for what it is.

/** The media type of the format. */
export const METRIC_TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One line. */
export interface MetricLine {
  readonly labels?: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it is not the family's own, such as `…_bucket`. */
  readonly name?: string;
  /** When it was so, Unix milliseconds; now unless given. */
  readonly atMs?: number;
}

/** A family with its lines. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly lines: Iterable<MetricLine>;
}

/** The families one after the other; those without lines are left out, as Prometheus' own libraries do. */
export function metricText(families: Iterable<MetricFamily>): string {
  const out: string[] = [];
  for (const { name, help, type, lines } of families) {
    const rows = Array.from(lines, (line) => rowOf(name, line));
    if (rows.length === 0) continue;
    const shown = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    out.push(`# HELP ${name} ${shown}`, `# TYPE ${name} ${type}`, ...rows);
  }
  return out.length === 0 ? '' : `${out.join('\n')}\n`;
}

function rowOf(family: string, { labels = {}, value, name = family, atMs }: MetricLine): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${escaped(String(text))}"`,
  );
  const braces = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  const time = atMs === undefined ? '' : ` ${Math.trunc(atMs)}`;
  return `${name}${braces} ${numberText(value)}${time}`;
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
