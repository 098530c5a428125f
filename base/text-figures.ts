// Figures as base/figures.ts keeps them, for programs that must stay small: prom-client alone takes 22 MB of memory.
// Invariant: what can be looked up is read when somebody asks, never kept up to date.
import { Count, Family, type FamilyOptions, type Looked, Spread } from './families.ts';
import { type MetricFamily, type MetricLine, metricText } from './metric-text.ts';

/** A small program's figures. */
export class TextFigures {
  readonly #families: (() => Promise<MetricFamily>)[] = [];

  /** Counts that only grow. */
  counter<L extends string>(options: FamilyOptions<L>): Family<Count> {
    const family = new Family(options.labels ?? [], () => new Count());
    this.#add(options, 'counter', () => counted(family));
    return family;
  }

  /** Distributions over buckets with these upper bounds, ascending. */
  histogram<L extends string>(
    options: FamilyOptions<L> & { readonly buckets: readonly number[] },
  ): Family<Spread> {
    const family = new Family(options.labels ?? [], () => new Spread(options.buckets));
    this.#add(options, 'histogram', () => spread(options, family));
    return family;
  }

  /** What is read when somebody asks: values of the labels, and the figure. */
  read<L extends string>(
    options: FamilyOptions<L> & { readonly type?: 'gauge' | 'counter' },
    look: () => Looked | Promise<Looked>,
  ): void {
    const { labels = [], type = 'gauge' } = options;
    this.#add(options, type, async () =>
      Array.from(await look(), ([values, value]) => ({
        labels: Object.fromEntries(labels.map((label, i) => [label, values[i] ?? ''])),
        value,
      })),
    );
  }

  /** All of it, as Prometheus reads it. */
  async text(): Promise<string> {
    return metricText(await Promise.all(this.#families.map((family) => family())));
  }

  #add(
    { name, help }: FamilyOptions<string>,
    type: MetricFamily['type'],
    look: () => Iterable<MetricLine> | Promise<Iterable<MetricLine>>,
  ): void {
    this.#families.push(async () => ({ name, help, type, lines: await look() }));
  }
}

const counted = (family: Family<Count>): MetricLine[] =>
  Array.from(family.entries(), ([labels, { value }]) => ({ labels, value }));

function spread(
  { name, buckets }: { readonly name: string; readonly buckets: readonly number[] },
  family: Family<Spread>,
): MetricLine[] {
  return Array.from(family.entries()).flatMap(([labels, { inBucket, sum }]) => {
    let below = 0;
    const lines: MetricLine[] = inBucket.map((count, i) => {
      below += count;
      return {
        name: `${name}_bucket`,
        labels: { ...labels, le: buckets[i] ?? '+Inf' },
        value: below,
      };
    });
    return [
      ...lines,
      { name: `${name}_sum`, labels, value: sum },
      { name: `${name}_count`, labels, value: below },
    ];
  });
}
