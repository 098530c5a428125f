// Places for what stays open for long on the node's server: logs that are streamed, commands, ports of pods. The server has only so many
// connections, and whoever asks about one pod may not take them all.
// Invariants: a pod is given a place only while it has fewer than are free, so that however many are held by some pods, another pod still
// gets some; a place is given back once.
import { RequestFailure } from './request-failure.ts';

/** Logs that are streamed at once. */
export const MAX_LOG_STREAMS = 384;
/** Commands, attachments and connections to ports at once. With the logs all but an eighth of the server's connections: figures and health keep that. */
export const MAX_POD_CONNECTIONS = 512;

/** Places of one kind. */
export class SharedPlaces {
  readonly #places: number;
  readonly #what: string;
  readonly #taken = new Map<string, number>();
  #free: number;

  /** `what`: their name for people, in the plural. */
  constructor(places: number, what: string) {
    this.#places = places;
    this.#what = what;
    this.#free = places;
  }

  /** Takes a place for a pod (`namespace/name`); answers how to give it back. Throws RequestFailure 429, in words that say what to do. */
  take(pod: string): () => void {
    const own = this.#taken.get(pod) ?? 0;
    if (this.#free === 0)
      throw new RequestFailure(
        429,
        `this node has ${this.#places} ${this.#what} open already, which is as many as it may; end some, or try again later`,
      );
    if (own >= this.#free)
      throw new RequestFailure(
        429,
        `pod "${pod}" has ${own} ${this.#what} open already, and the last ${this.#free} that this node may have are left to other pods; end some, or try again later`,
      );
    this.#taken.set(pod, own + 1);
    this.#free -= 1;
    return this.#giveBackOnce(pod);
  }

  #giveBackOnce(pod: string): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#free += 1;
      const left = (this.#taken.get(pod) ?? 1) - 1;
      if (left === 0) this.#taken.delete(pod);
      else this.#taken.set(pod, left);
    };
  }
}
