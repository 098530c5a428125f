// Service addresses and node ports in use. Invariant: one number is held by one holder at a time.

/** Numbers of a range; given out from a turning start, so that one given back is not taken again at once. */
export class NumberPool {
  readonly #first: number;
  readonly #size: number;
  readonly #holders = new Map<number, string>();
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
    return this.#holders.get(number);
  }

  /** Takes a given number; false when another holds it. */
  claim(number: number, holder: string): boolean {
    const present = this.#holders.get(number);
    if (present !== undefined && present !== holder) return false;
    this.#holders.set(number, holder);
    return true;
  }

  /** Takes any free number; undefined when there is none. */
  take(holder: string): number | undefined {
    for (let i = 0; i < this.#size; i++) {
      const number = this.#first + ((this.#next + i) % this.#size);
      if (this.#holders.has(number)) continue;
      this.#next = number - this.#first + 1;
      this.#holders.set(number, holder);
      return number;
    }
    return undefined;
  }

  /** Gives a number back, if this holder has it. */
  release(number: number, holder: string): void {
    if (this.#holders.get(number) === holder) this.#holders.delete(number);
  }
}
