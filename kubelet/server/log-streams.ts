// How many logs the node's server streams at once. Followed logs stay for as long as their readers do: they may not take every connection there is.
// Invariant: a place is given back whatever became of the stream; the server's other connections are left for commands, health and figures.
import { RequestFailure } from './request-failure.ts';

/** Logs that are streamed at once: half of the server's connections. */
export const MAX_LOG_STREAMS = 512;

/** The streams of one server. */
export class LogStreams {
  #open = 0;

  /** Streams a log. Rejects with a RequestFailure of 429 when as many as may be are open, and as the stream does. */
  async run(stream: () => Promise<void>): Promise<void> {
    if (this.#open >= MAX_LOG_STREAMS)
      throw new RequestFailure(
        429,
        `this node streams ${MAX_LOG_STREAMS} logs already, which is as many as it may; end some that are followed, or try again later`,
      );
    this.#open += 1;
    try {
      await stream();
    } finally {
      this.#open -= 1;
    }
  }
}
