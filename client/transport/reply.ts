// How an answer, whichever way it came, becomes a TransportReply or a thrown StatusError.
// Invariant: both transports pass through here, so both give the same outcomes.
import type { LooseObject } from '../../api/meta/object.ts';
import type { Status } from '../../api/status.ts';
import { StatusError } from '../../api/status.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { ConnectionError } from './connection-error.ts';
import type { TransportReply, TransportRequest } from './transport.ts';

/** Headers as servers give them: one text or several under a lower-case name. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** An answer before anybody has looked into it. */
export interface RawReply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  bytes(): Uint8Array;
  /** The answer as a value where the server has it at hand. */
  readonly object?: (() => LooseObject) | undefined;
}

/** The answer as callers see it; throws StatusError for a failure (400 and above). */
export function acceptReply(raw: RawReply): TransportReply {
  if (raw.status >= 400) throw failureOf(raw);
  let parsed: LooseObject | undefined;
  return {
    status: raw.status,
    headers: singleHeaders(raw.headers),
    warnings: warningTexts(raw.headers.warning),
    bytes: () => raw.bytes(),
    object: () => (parsed ??= raw.object ? raw.object() : answeredObject(raw)),
  };
}

/** The StatusError that a failed answer stands for, whatever its body. */
export function failureOf(raw: RawReply): StatusError {
  const body = statusBody(raw);
  if (body) return StatusError.fromStatus(withRetryAfter(body, raw), raw.status);
  const text = Buffer.from(raw.bytes()).toString('utf8', 0, MAX_PLAIN_MESSAGE_BYTES).trim();
  const page = /^<(!doctype|html)/i.test(text);
  const plain = page
    ? `the server answered ${raw.status} with a web page: ${ASKED_ELSEWHERE}`
    : text;
  const message = plain === '' ? `the server answered ${raw.status}` : plain;
  return StatusError.fromStatus(withRetryAfter({ message, code: raw.status }, raw));
}

/** When to come back, in seconds; only in the form that API servers use. */
export function retryAfterSeconds({ headers }: Pick<RawReply, 'headers'>): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

/** The Status with what the header says besides, where it does not say so itself. */
function withRetryAfter(status: Partial<Status>, raw: RawReply): Partial<Status> {
  const seconds = status.details?.retryAfterSeconds ?? retryAfterSeconds(raw);
  if (seconds === undefined) return status;
  return { ...status, details: { ...status.details, retryAfterSeconds: seconds } };
}

const ASKED_ELSEWHERE = 'is this the address of a Kubernetes API server?';

/** How much of a plain-text failure goes into the message. */
const MAX_PLAIN_MESSAGE_BYTES = 1024;

function statusBody(raw: RawReply): Partial<Status> | undefined {
  try {
    const object: unknown = raw.object ? raw.object() : parseObject(raw.bytes());
    const isStatus = (object as { kind?: unknown } | null)?.kind === 'Status';
    return isStatus ? (object as Partial<Status>) : undefined;
  } catch {
    return undefined;
  }
}

function answeredObject(raw: RawReply): LooseObject {
  try {
    return parseObject(raw.bytes());
  } catch (cause) {
    const type = String(raw.headers['content-type'] ?? 'JSON');
    if (/json/i.test(type)) throw cause;
    throw new ConnectionError(
      'malformed',
      `the answer is not JSON but ${type}: ${ASKED_ELSEWHERE}`,
      cause,
    );
  }
}

function parseObject(bytes: Uint8Array): LooseObject {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (cause) {
    throw new ConnectionError('malformed', 'the answer is not JSON', cause);
  }
}

/** Splits a batch at its first ERROR event: what precedes it, and the error. */
export function splitAtError(events: readonly WatchEventObject[]): {
  readonly good: readonly WatchEventObject[];
  readonly error?: StatusError;
} {
  const at = events.findIndex((event) => event.type === 'ERROR');
  if (at < 0) return { good: events };
  const status = (events[at] as WatchEventObject).object as unknown as Partial<Status>;
  return { good: events.slice(0, at), error: StatusError.fromStatus(status) };
}

/** The query of a request as URLSearchParams; values left undefined are left out. */
export function searchParams(query: TransportRequest['query']): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of typeof value === 'string' ? [value] : value) params.append(name, one);
  }
  return params;
}

function singleHeaders(headers: ReplyHeaders): Record<string, string | undefined> {
  const single: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers))
    single[name] = value === undefined || typeof value === 'string' ? value : value.join(', ');
  return single;
}

/** The texts of `299 - "text"` warnings (RFC 7234, 5.5). */
function warningTexts(header: string | readonly string[] | undefined): readonly string[] {
  if (header === undefined) return [];
  const all = typeof header === 'string' ? header : header.join(', ');
  return Array.from(all.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g), (match) =>
    (match[1] ?? '').replaceAll(/\\(.)/g, '$1'),
  );
}
