// Service addresses and node ports in use. Invariant: one number is held by one holder at a time, and is free again only
// when every claim of it was given back: two writes of one Service may claim the same number, and one of them fail.

/** Numbers of a range; given out from a turning start, so that one given back is not taken again at once. */
export class NumberPool {
  readonly #first: number;
  readonly #size: number;
  readonly #holders = new Map<number, { readonly holder: string; claims: number }>();
  #next = 0;

  /** `first` to `first + size - 1`. */
  constructor(first: number, size: number) {
    this.#first = first;
    this.#size = size;
  }

  has(number: number): boolean {
    return number >= this.#first && number < this.#first + this.#size;
  }

  /** Who holds it, if somebody does. */
  holder(number: number): string | undefined {
    return this.#holders.get(number)?.holder;
  }

  /** Takes a given number; false when another holds it. */
  claim(number: number, holder: string): boolean {
    const present = this.#holders.get(number);
    if (present === undefined) this.#holders.set(number, { holder, claims: 1 });
    else if (present.holder === holder) present.claims += 1;
    else return false;
    return true;
  }

  /** Takes any free number; undefined when there is none. */
  take(holder: string): number | undefined {
    for (let i = 0; i < this.#size; i++) {
      const number = this.#first + ((this.#next + i) % this.#size);
      if (this.#holders.has(number)) continue;
      this.#next = number - this.#first + 1;
      this.#holders.set(number, { holder, claims: 1 });
      return number;
    }
    return undefined;
  }

  /** Gives one claim of a number back, if this holder has it. */
  release(number: number, holder: string): void {
    const present = this.#holders.get(number);
    if (present?.holder !== holder) return;
    present.claims -= 1;
    if (present.claims === 0) this.#holders.delete(number);
  }
}
