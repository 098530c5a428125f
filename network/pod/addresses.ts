// Gives out pod addresses of a node's range.
// Invariant: an address is given to one pod at a time, and one given back is not the next one given out.
import { cidrRange, numberToIp } from '../layout.ts';

/** Thrown when every address of the node is in use. */
export class NoAddressError extends Error {
  override readonly name = 'NoAddressError';
}

/** The addresses of one range; its first two (network, node) and its last (broadcast) are never given out. */
export class AddressPool {
  readonly #first: number;
  readonly #size: number;
  readonly #used = new Set<number>();
  #next = 0;

  constructor(cidr: string) {
    const { first, size } = cidrRange(cidr);
    this.#first = first + 2;
    this.#size = size - 3;
  }

  /** Marks an address that is known to be in use. */
  reserve(ip: string): void {
    const offset = cidrRange(`${ip}/32`).first - this.#first;
    this.#used.add(offset);
    this.#next = (offset + 1) % this.#size;
  }

  /** The next free address; throws NoAddressError when there is none. */
  take(): string {
    for (let i = 0; i < this.#size; i++) {
      const offset = (this.#next + i) % this.#size;
      if (this.#used.has(offset)) continue;
      this.#used.add(offset);
      this.#next = (offset + 1) % this.#size;
      return numberToIp(this.#first + offset);
    }
    throw new NoAddressError(`all ${this.#size} pod addresses of this node are in use`);
  }

  release(ip: string): void {
    this.#used.delete(cidrRange(`${ip}/32`).first - this.#first);
  }
}
