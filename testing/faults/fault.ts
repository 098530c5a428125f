// What can go wrong between a program and its API server: faults as values, and which requests they befall.
// Invariant: pure data; a fault that makes no sense for a request (a cut stream for a get) leaves it alone.
import type { KindRef } from '../../api/kind-ref.ts';
import type { Verb } from '../../apiserver/request-info.ts';

/** One fault. */
export type Fault =
  /** The connection breaks before the server has got the request. */
  | { readonly kind: 'loseRequest' }
  /** The connection breaks after the server has done what was asked: the outcome is unknown to who asked. */
  | { readonly kind: 'loseReply' }
  /** The request, or each batch of a watch's events, comes so much later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The server gets the request twice, and what the second came to is answered; a watch tells its events twice. */
  | { readonly kind: 'duplicate' }
  /** The server answers so without having done anything. */
  | { readonly kind: 'refuse'; readonly code: RefusalCode; readonly retryAfterSeconds?: number }
  /** A watch's connection breaks after so many events. */
  | { readonly kind: 'cut'; readonly afterEvents: number }
  /** A watch ends within the line of the event that follows so many. */
  | { readonly kind: 'truncate'; readonly afterEvents: number }
  /** A watch's line that follows so many events is no JSON. */
  | { readonly kind: 'garble'; readonly afterEvents: number };

/** Codes of answers that a program has to bear: Conflict, Expired, TooManyRequests, InternalError, ServiceUnavailable. */
export type RefusalCode = 409 | 410 | 429 | 500 | 503;

/** The faults by name. */
export const faults = {
  loseRequest: { kind: 'loseRequest' },
  loseReply: { kind: 'loseReply' },
  duplicate: { kind: 'duplicate' },
  /** `ms` by the clock of the client. */
  delay: (ms: number): Fault => ({ kind: 'delay', ms }),
  conflict: { kind: 'refuse', code: 409 },
  expired: { kind: 'refuse', code: 410 },
  internalError: { kind: 'refuse', code: 500 },
  unavailable: { kind: 'refuse', code: 503 },
  tooManyRequests: (retryAfterSeconds = 1): Fault => ({
    kind: 'refuse',
    code: 429,
    retryAfterSeconds,
  }),
  cutStream: (afterEvents = 0): Fault => ({ kind: 'cut', afterEvents }),
  truncatedLine: (afterEvents = 0): Fault => ({ kind: 'truncate', afterEvents }),
  garbledLine: (afterEvents = 0): Fault => ({ kind: 'garble', afterEvents }),
} as const satisfies Record<string, Fault | ((...args: never[]) => Fault)>;

/** A request as rules see it. */
export interface FaultTarget {
  readonly verb: Verb;
  readonly group: string;
  /** Plural, as it stands in URLs. */
  readonly resource: string;
  /** '' where there is none. */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** Befalls requests that fit in every part that is given. */
export interface FaultRule {
  readonly fault: Fault;
  readonly verb?: Verb | readonly Verb[];
  readonly ref?: KindRef;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly where?: (target: FaultTarget) => boolean;
  /** Only the first, second, … of those that fit, counted from 1. */
  readonly nth?: number | readonly number[];
  /** How likely it is for each, between 0 and 1; certain unless given. */
  readonly probability?: number;
  /** How often at most; without end unless given. */
  readonly times?: number;
}
