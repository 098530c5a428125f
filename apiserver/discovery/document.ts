// A document that changes only with the server: serialized when it is asked for, with a digest as its ETag.
// Invariant: the bytes are shared by all replies that are under way. Those of large documents, and of those that are known
// without being made, go with the last reply: with hundreds of definitions they are tens of megabytes that hardly anybody asks for.
import { createHash } from 'node:crypto';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Reply } from '../../api/wire/exchange.ts';

/** Bytes to send and what identifies them. */
export interface Document {
  /** Sent one after another. */
  readonly chunks: readonly Uint8Array[];
  /** Hex digest of the bytes, or of what they are made from. */
  readonly hash: string;
}

/** Larger documents are made again rather than kept. */
export const MAX_KEPT_DOCUMENT_BYTES = 8 * 1024 * 1024;

/** The document of a value, made when it is first asked for; `madeFrom` names it without making it. */
export function documentOf(make: () => object, madeFrom?: string): () => Document {
  const bytes = () => new TextEncoder().encode(`${JSON.stringify(make())}\n`);
  let made: Document | undefined;
  return () => (made ??= new MadeDocument(bytes, madeFrom));
}

class MadeDocument implements Document {
  readonly #make: () => Uint8Array;
  readonly #madeFrom: string | undefined;
  #kept: Uint8Array | undefined;
  #lent: WeakRef<Uint8Array> | undefined;
  #hash: string | undefined;

  constructor(make: () => Uint8Array, madeFrom: string | undefined) {
    this.#make = make;
    this.#madeFrom = madeFrom;
  }

  get hash(): string {
    this.#hash ??= digestOf(this.#madeFrom ?? this.bytes);
    return this.#hash;
  }

  get chunks(): readonly Uint8Array[] {
    return [this.bytes];
  }

  get bytes(): Uint8Array {
    const held = this.#kept ?? this.#lent?.deref();
    if (held) return held;
    const bytes = this.#make();
    const keep = this.#madeFrom === undefined && bytes.length <= MAX_KEPT_DOCUMENT_BYTES;
    if (keep) this.#kept = bytes;
    else this.#lent = new WeakRef(bytes);
    return bytes;
  }
}

function digestOf(what: string | Uint8Array): string {
  return createHash('sha256').update(what).digest('hex').toUpperCase();
}

/** How a document is sent. */
export interface ReplyOptions {
  readonly contentType: string;
  /** The request's If-None-Match header. */
  readonly ifNoneMatch: string | undefined;
  /** The URL names the digest: caches may keep the answer for good. */
  readonly immutable?: boolean;
}

/** Does the client have the document of that digest already? */
export function isHeld(hash: string, { ifNoneMatch }: Pick<ReplyOptions, 'ifNoneMatch'>): boolean {
  const tags = ifNoneMatch?.split(',') ?? [];
  return tags.some((tag) => tag.trim().replace(/^W\//, '') === `"${hash}"`);
}

/** 200 with the document, or 304 when the client has it already. */
export function replyWith(document: Document, options: ReplyOptions): Reply {
  const headers = {
    'content-type': options.contentType,
    etag: `"${document.hash}"`,
    vary: 'Accept',
    'cache-control': options.immutable ? 'public, immutable, max-age=31536000' : 'public',
  };
  if (isHeld(document.hash, options)) return { kind: 'body', status: 304, headers, body: [] };
  const { chunks } = document;
  return {
    kind: 'body',
    status: 200,
    headers,
    body: chunks,
    object: () => JSON.parse(Buffer.concat(chunks).toString()) as LooseObject,
  };
}
