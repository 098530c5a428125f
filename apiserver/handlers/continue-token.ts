// Continue tokens of paged lists: the revision that all pages show, and the key after which the next one begins.
// Opaque to clients; a token says nothing that its bearer may not list.
import { badRequest } from '../../api/status.ts';

/** What a token says. */
export interface Continuation {
  readonly revision: bigint;
  /** Relative to the collection's prefix. */
  readonly after: string;
}

/** The token's text. */
export function encodeToken(continuation: Continuation): string {
  const { revision, after } = continuation;
  return Buffer.from(JSON.stringify({ v: 1, rv: String(revision), after })).toString('base64url');
}

/** Reads a token. Throws BadRequest. */
export function decodeToken(token: string): Continuation {
  try {
    const { v, rv, after } = JSON.parse(Buffer.from(token, 'base64url').toString()) as {
      v: number;
      rv: string;
      after: string;
    };
    if (v === 1 && /^\d+$/.test(rv) && typeof after === 'string')
      return { revision: BigInt(rv), after };
  } catch {
    // Falls through to the refusal below: whatever is wrong with it, it is none of ours.
  }
  throw badRequest('invalid continue token: continue key is not valid; list again without it');
}
