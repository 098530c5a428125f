// Figures by their labels: counts and distributions, as whoever keeps them holds them.
// Invariants: a bound figure costs an addition, no look-up and no allocation; a family never has more than MAX_SERIES
// members, however odd its labels are.

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
