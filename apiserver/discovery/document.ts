// A document that changes only with the server: serialized once, with a digest as its ETag.
// Invariant: the bytes are made on first use and shared by all replies.
import { createHash } from 'node:crypto';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Reply } from '../../api/wire/exchange.ts';

/** Bytes to send and what identifies them. */
export interface Document {
  readonly bytes: Uint8Array;
  /** Hex digest of the bytes. */
  readonly hash: string;
}

/** Serializes a value once, when it is first asked for. */
export function documentOf(make: () => object): () => Document {
  return bytesDocumentOf(() => new TextEncoder().encode(`${JSON.stringify(make())}\n`));
}

/** The same for a form that is not JSON. */
export function bytesDocumentOf(make: () => Uint8Array): () => Document {
  let made: Document | undefined;
  return () => {
    if (made === undefined) {
      const bytes = make();
      made = { bytes, hash: createHash('sha256').update(bytes).digest('hex').toUpperCase() };
    }
    return made;
  };
}

/** How a document is sent. */
export interface ReplyOptions {
  readonly contentType: string;
  /** The request's If-None-Match header. */
  readonly ifNoneMatch: string | undefined;
  /** The URL names the digest: caches may keep the answer for good. */
  readonly immutable?: boolean;
}

/** 200 with the document, or 304 when the client has it already. */
export function replyWith(document: Document, options: ReplyOptions): Reply {
  const etag = `"${document.hash}"`;
  const matches = options.ifNoneMatch
    ?.split(',')
    .some((tag) => tag.trim().replace(/^W\//, '') === etag);
  const headers = {
    'content-type': options.contentType,
    etag,
    vary: 'Accept',
    'cache-control': options.immutable ? 'public, immutable, max-age=31536000' : 'public',
  };
  if (matches === true) return { kind: 'body', status: 304, headers, body: [] };
  return {
    kind: 'body',
    status: 200,
    headers,
    body: [document.bytes],
    object: () => JSON.parse(new TextDecoder().decode(document.bytes)) as LooseObject,
  };
}
