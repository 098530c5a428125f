// Reads the bodies of requests into memory, within a limit for each and one for all together.
// Invariant: what is counted as held is given back when the request is over, however it ends.
import type { IncomingMessage } from 'node:http';
import { WebhookFault } from './webhook-fault.ts';

/** Bytes of one body: an object of 3 MiB and the one before it, or the 2 MiB of objects of a conversion, many times over. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Bytes of all bodies that are being read or answered. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** Counts the bytes that are held. */
export class BodyReader {
  #held = 0;

  /** Calls `use` with the body as text. Rejects with WebhookFault (413, 429), or as `use` does. */
  async with<T>(request: IncomingMessage, use: (text: string) => Promise<T>): Promise<T> {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > MAX_BODY_BYTES) throw tooLarge();
    let mine = 0;
    try {
      const chunks: Buffer[] = [];
      // Not destroyed where it is left early: the refusal has to get out on the same connection.
      const body = request.iterator({ destroyOnReturn: false });
      for await (const chunk of body as AsyncIterable<Buffer>) {
        mine += chunk.length;
        this.#held += chunk.length;
        if (mine > MAX_BODY_BYTES) throw tooLarge();
        if (this.#held > MAX_HELD_BYTES)
          throw new WebhookFault(
            429,
            `reviews of more than ${MAX_HELD_BYTES} bytes are being answered: come again`,
          );
        chunks.push(chunk);
      }
      return await use(Buffer.concat(chunks).toString());
    } finally {
      this.#held -= mine;
    }
  }
}

function tooLarge(): WebhookFault {
  return new WebhookFault(413, `a review may have up to ${MAX_BODY_BYTES} bytes`);
}
