// What went wrong with a call of a webhook, in the words that users of Kubernetes look for.
// Pure.
import { table } from '../../base/table.ts';

/** A call that failed, or whose answer was none. The message says what was called and why it failed. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';
  /** The caller's patience ended before the webhook answered. */
  readonly timedOut: boolean;

  constructor(message: string, options: { cause?: unknown; timedOut?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.timedOut = options.timedOut ?? false;
  }
}

/** Characters of a webhook's own words that go into a message. */
const MAX_QUOTED_CHARS = 2048;

const UNVERIFIED = 'tls: failed to verify certificate: x509: ';
const UNKNOWN_AUTHORITY = `${UNVERIFIED}certificate signed by unknown authority`;
const OUTDATED = `${UNVERIFIED}certificate has expired or is not yet valid`;

/** What Node calls a failure of a connection, as Kubernetes says it. */
const CONNECTION_FAILURES: Readonly<Record<string, string>> = table({
  ECONNRESET: 'EOF',
  EPIPE: 'EOF',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: OUTDATED,
  CERT_NOT_YET_VALID: OUTDATED,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'remote error: tls: certificate required',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'remote error: tls: unknown certificate authority',
});

/** Why a connection failed. */
export function connectionFailure(error: Error, host: string): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const { address, port } = error as { address?: string; port?: number };
  const known = CONNECTION_FAILURES[code];
  if (known !== undefined) return known;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${UNVERIFIED}${wrongName(error, host)}`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`;
  if (code === 'ECONNREFUSED') return `dial tcp ${address}:${port}: connect: connection refused`;
  // A name of several addresses, none of which answered.
  const [first] = (error as Partial<AggregateError>).errors ?? [];
  return first instanceof Error ? connectionFailure(first, host) : message;
}

function wrongName(error: Error, host: string): string {
  const { subjectaltname = '' } = (error as { cert?: { subjectaltname?: string } }).cert ?? {};
  const names = subjectaltname.split(', ').map((each) => each.replace(/^[^:]*:/, ''));
  return `certificate is valid for ${names.join(', ') || 'no names'}, not ${host}`;
}

const REFUSALS: Readonly<Record<number, string>> = {
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/** Why an answer with this status is none; `text` is its body. */
export function refusal(status: number, text: string): string {
  const said = text.slice(0, MAX_QUOTED_CHARS).trim();
  const known = REFUSALS[status];
  if (known !== undefined) return known;
  if (status < 500)
    return said !== '' && status >= 400
      ? said
      : `the server responded with the status code ${status} but did not return more information`;
  const words = JSON.stringify(said || 'unknown');
  return `an error on the server (${words}) has prevented the request from succeeding`;
}
