// Figures that programs keep of themselves, shown in Prometheus' text format. Wraps prom-client, which writes the format.
// Invariant: what can be looked up is read when somebody asks, never kept up to date.
import { Registry } from 'prom-client';
import { Count, Family, type FamilyOptions, type Looked, Spread } from './families.ts';

export { Count, Family, type FamilyOptions, type Looked, MAX_SERIES, Spread } from './families.ts';

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** A program's figures. Each name may be taken once. */
export class Figures {
  readonly #registry = new Registry();

  /** Counts that only grow. */
  counter<L extends string>(options: FamilyOptions<L>): Family<Count> {
    const family = new Family(options.labels ?? [], () => new Count());
    this.#add(options, 'counter', () => counted(family));
    return family;
  }

  /** What is so now and may fall again, kept by whoever changes it. */
  level<L extends string>(options: FamilyOptions<L>): Family<Count> {
    const family = new Family(options.labels ?? [], () => new Count());
    this.#add(options, 'gauge', () => counted(family));
    return family;
  }

  /** Distributions over buckets with these upper bounds, ascending. */
  histogram<L extends string>(
    options: FamilyOptions<L> & { readonly buckets: readonly number[] },
  ): Family<Spread> {
    const family = new Family(options.labels ?? [], () => new Spread(options.buckets));
    this.#add(options, 'histogram', () => spread(options.name, options.buckets, family));
    return family;
  }

  /** What is read when somebody asks: values of the labels, and the figure. */
  read<L extends string>(
    options: FamilyOptions<L> & { readonly type?: 'gauge' | 'counter' },
    look: () => Looked | Promise<Looked>,
  ): void {
    const { labels = [] } = options;
    this.#add(options, options.type ?? 'gauge', async () =>
      Array.from(await look(), ([values, value]) => ({
        labels: Object.fromEntries(labels.map((label, i) => [label, values[i] ?? ''])),
        value,
      })),
    );
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of it, as Prometheus reads it. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #add(
    { name, help }: FamilyOptions<string>,
    type: 'counter' | 'gauge' | 'histogram',
    samples: () => readonly Sample[] | Promise<readonly Sample[]>,
  ): void {
    const get = async () => ({ name, help, type, values: await samples(), aggregator: 'sum' });
    // The registry asks no more of a metric than its name and what it has to show.
    this.#registry.registerMetric({ name, get } as never);
  }
}

const counted = (family: Family<Count>): readonly Sample[] =>
  Array.from(family.entries(), ([labels, { value }]) => ({ labels, value }));

function spread(
  name: string,
  bounds: readonly number[],
  family: Family<Spread>,
): readonly Sample[] {
  return Array.from(family.entries()).flatMap(([labels, { inBucket, sum }]) => {
    let below = 0;
    const samples: Sample[] = inBucket.map((count, i) => {
      below += count;
      const le = bounds[i] ?? '+Inf';
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
    });
    samples.push({ metricName: `${name}_sum`, labels, value: sum });
    samples.push({ metricName: `${name}_count`, labels, value: below });
    return samples;
  });
}
