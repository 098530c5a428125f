// Since when objects of a custom kind were written under its present schemas.
// Invariant: a revision counts as new only where no write that began under an older definition can have made it, not even
// one that is still under way.

/** Shared by all that is served of one definition, whatever becomes of it. */
export class SchemaAge {
  #since: bigint;
  #generation = 0;
  /** Writes under way: of this generation, and of those before. */
  #now = 0;
  #late = 0;

  /** What was there at `revision` may be of any age. */
  constructor(revision: bigint) {
    this.#since = revision;
  }

  /** How often the schemas have changed. */
  get generation(): number {
    return this.#generation;
  }

  /** The schemas have changed; `revision` is the newest that is durable. */
  changed(revision: bigint): void {
    this.#generation += 1;
    this.#late += this.#now;
    this.#now = 0;
    this.#raise(revision);
  }

  /** Was it surely written under the present schemas? */
  isCurrent(revision: bigint): boolean {
    return this.#late === 0 && revision > this.#since;
  }

  /** A write of this generation begins; the answer ends it. */
  writing(generation: number): (revision?: bigint) => void {
    if (generation === this.#generation) this.#now += 1;
    else this.#late += 1;
    return (revision) => {
      if (generation === this.#generation) {
        this.#now -= 1;
        return;
      }
      this.#late -= 1;
      if (revision !== undefined) this.#raise(revision);
    };
  }

  #raise(revision: bigint): void {
    if (revision > this.#since) this.#since = revision;
  }
}
