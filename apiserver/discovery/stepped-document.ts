// A document that takes long to make: made in steps when it is asked for, while others are served; whoever asks meanwhile gets the same.
// Invariant: as for other documents, the bytes of a large one go with the last reply that has them; its digest stays known.
import { createHash } from 'node:crypto';
import type { Reply } from '../../api/wire/exchange.ts';
import { breathe } from '../../base/breathe.ts';
import {
  type Document,
  isHeld,
  MAX_KEPT_DOCUMENT_BYTES,
  type ReplyOptions,
  replyWith,
} from './document.ts';

/** Steps that are taken in a turn of the event loop: some milliseconds. */
export const STEPS_IN_A_TURN = 4;
/** Bytes of a piece that is sent, and hashed in a turn. */
const PIECE_BYTES = 256 * 1024;

/** Makes the pieces of a document. */
export type DocumentSteps = () => Generator<void, readonly Uint8Array[]>;

/** A document and its answers. */
export class SteppedDocument {
  readonly #steps: DocumentSteps;
  #kept: readonly Uint8Array[] | undefined;
  #lent: WeakRef<readonly Uint8Array[]> | undefined;
  #making: Promise<Document> | undefined;
  #hash: string | undefined;

  constructor(steps: DocumentSteps) {
    this.#steps = steps;
  }

  /** 200 with the document, or 304 when the client has it already. */
  async reply(options: ReplyOptions): Promise<Reply> {
    const hash = this.#hash;
    const known = hash !== undefined && isHeld(hash, options);
    return replyWith(known ? { hash, chunks: [] } : await this.#document(), options);
  }

  #document(): Promise<Document> {
    const chunks = this.#kept ?? this.#lent?.deref();
    if (chunks && this.#hash !== undefined) return Promise.resolve({ chunks, hash: this.#hash });
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async #make(): Promise<Document> {
    const chunks = inPieces(await inTurns(this.#steps()));
    const digest = createHash('sha256');
    let bytes = 0;
    for (const chunk of chunks) {
      digest.update(chunk);
      bytes += chunk.length;
      await breathe();
    }
    const hash = digest.digest('hex').toUpperCase();
    this.#hash = hash;
    if (bytes <= MAX_KEPT_DOCUMENT_BYTES) this.#kept = chunks;
    else this.#lent = new WeakRef(chunks);
    return { chunks, hash };
  }
}

async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  for (let taken = 1; ; taken++) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (taken % STEPS_IN_A_TURN === 0) await breathe();
  }
}

/** Fewer and larger ones. */
function inPieces(small: readonly Uint8Array[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let together: Uint8Array[] = [];
  let bytes = 0;
  for (const chunk of small) {
    together.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    pieces.push(Buffer.concat(together));
    [together, bytes] = [[], 0];
  }
  if (bytes > 0) pieces.push(Buffer.concat(together));
  return pieces;
}
