// Figures that programs keep of themselves, shown in Prometheus' text format. Wraps prom-client, which writes the format.
// Invariants: a bound figure costs an addition, no look-up and no allocation; a family never has more than MAX_SERIES
// members, however odd its labels are; what can be looked up is read when somebody asks, never kept up to date.
import { Registry } from 'prom-client';

/** Members that a family has at most; those beyond share one, whose labels all say `other`. */
export const MAX_SERIES = 5_000;

/** What a family is called and told apart by. */
export interface FamilyOptions<L extends string> {
  /** As Prometheus has it: with its unit, and `_total` for counts. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

/** One count. */
export class Count {
  value = 0;

  /** Adds; one unless told. */
  add(by = 1): void {
    this.value += by;
  }
}

/** One distribution. */
export class Spread {
  readonly #bounds: readonly number[];
  /** How many fell under each bound and over the one before; the last are beyond all. */
  readonly inBucket: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.inBucket = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** Takes one value in, in the family's unit. */
  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++;
    this.inBucket[at] = (this.inBucket[at] as number) + 1;
    this.sum += value;
  }
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** Members of one name, by their labels. */
export class Family<M> {
  readonly #labels: readonly string[];
  readonly #make: () => M;
  readonly #members = new Map<string, { readonly values: readonly string[]; readonly member: M }>();

  constructor(labels: readonly string[], make: () => M) {
    this.#labels = labels;
    this.#make = make;
  }

  /** The member with these labels' values, in the family's order; the same one each time. Kept by the caller where speed counts. */
  of(...values: readonly string[]): M {
    const key = values.join('\0');
    const known = this.#members.get(key);
    if (known) return known.member;
    if (this.#members.size >= MAX_SERIES) return this.#rest();
    return this.#put(key, values);
  }

  #rest(): M {
    const values = this.#labels.map(() => 'other');
    const key = values.join('\0');
    return this.#members.get(key)?.member ?? this.#put(key, values);
  }

  #put(key: string, values: readonly string[]): M {
    const member = this.#make();
    this.#members.set(key, { values, member });
    return member;
  }

  /** Every member with its labels. */
  *entries(): Generator<[Readonly<Record<string, string>>, M]> {
    for (const { values, member } of this.#members.values())
      yield [Object.fromEntries(this.#labels.map((label, i) => [label, values[i] ?? ''])), member];
  }
}

/** Figures that were looked up, each with the values of its labels. */
export type Looked = Iterable<readonly [values: readonly string[], figure: number]>;

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
