// Makes replies. Invariant: every failure that a client sees was made into bytes here.
import type { LooseObject } from '../api/meta/object.ts';
import type { Reply } from '../api/wire/exchange.ts';
import type { Status, StatusError } from '../api/status.ts';

/** The media type of nearly everything. */
export const JSON_TYPE = 'application/json';

/** A reply whose body is the object. */
export function objectReply(object: object, status = 200): Reply {
  const bytes = Buffer.from(`${JSON.stringify(object)}\n`);
  return {
    kind: 'body',
    status,
    headers: { 'content-type': JSON_TYPE },
    body: [bytes],
    object: () => object as LooseObject,
  };
}

/** A reply whose body is an object's stored bytes. `object` gives the shared frozen object. */
export function storedReply(
  stored: { bytes: Uint8Array; object(): LooseObject },
  status = 200,
): Reply {
  return {
    kind: 'body',
    status,
    headers: { 'content-type': JSON_TYPE },
    body: [stored.bytes],
    object: () => stored.object(),
  };
}

/** A plain text. */
export function textReply(text: string, status = 200): Reply {
  return {
    kind: 'body',
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: [Buffer.from(text)],
  };
}

/** The Status of a failure. Retry-After goes along where the failure names one. */
export function errorReply(error: StatusError): Reply {
  const reply = objectReply(error.toStatus(), error.code);
  const seconds = error.details?.retryAfterSeconds;
  if (seconds === undefined || reply.kind !== 'body') return reply;
  return { ...reply, headers: { ...reply.headers, 'retry-after': String(seconds) } };
}

/** A success that has no object, such as a finished delete; only what was made says its code, as upstream. */
export function successStatus(details: NonNullable<Status['details']>): Omit<Status, 'code'> {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

/** Characters of one warning, and of all of a reply, so that no client finds the head too large. */
const MAX_WARNING_CHARS = 1024;
const MAX_WARNINGS_CHARS = 4096;

/** The reply with `Warning` headers (RFC 7234, section 5.5; code 299), as many as there is room for. */
export function withWarnings(reply: Reply, warnings: readonly string[]): Reply {
  if (warnings.length === 0 || reply.kind === 'upgrade') return reply;
  const texts: string[] = [];
  let left = MAX_WARNINGS_CHARS;
  for (const whole of new Set(warnings)) {
    const text = whole.slice(0, MAX_WARNING_CHARS).toWellFormed();
    left -= text.length;
    if (left < 0) break;
    texts.push(`299 - ${JSON.stringify(text)}`);
  }
  return { ...reply, headers: { ...reply.headers, warning: texts } };
}
