// Options of the HTTP transport and its limits, resolved once.
// Invariant: every wait, buffer and retry of the transport has its ceiling here.
import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';
import { type CredentialSource, tokenSource } from './credentials.ts';
import { RETRY_LIMITS, type RetryLimits } from './retries.ts';

/** How to reach a server and as whom. Certificates and keys are PEM texts. */
export interface HttpTransportOptions {
  /** `https://host:port`, with a path prefix where the server stands behind one. */
  readonly server: string;
  /** Authorities that may have signed the server's certificate; the system's unless given. */
  readonly ca?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  /** A bearer token, or where to ask for the current one (tokens that expire). */
  readonly token?: string | (() => Promise<string>) | undefined;
  /** Where tokens or certificates come from that expire; in place of `token`, `clientCert` and `clientKey`. */
  readonly credentials?: CredentialSource | undefined;
  /** Whom to act as, where who signs in may do that. */
  readonly impersonate?: Impersonation | undefined;
  /** Takes any server certificate: for tests of one's own only. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
  /** The name the server's certificate is for, where the address has another. */
  readonly tlsServerName?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: Partial<HttpLimits> | undefined;
}

/** Another user than the one who signs in. */
export interface Impersonation {
  readonly username: string;
  readonly uid?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** What the transport keeps within. */
export interface HttpLimits extends RetryLimits {
  /** Connections for requests at once; further requests wait. Watches and streams have their own. */
  readonly maxSockets: number;
  /** Idle connections that are kept for the next request. */
  readonly maxFreeSockets: number;
  /** An idle connection is kept for this long: less than servers and what stands before them keep theirs. */
  readonly maxIdleMs: number;
  /** A connection must stand within this. */
  readonly connectTimeoutMs: number;
  /** A request's answer must have begun within this. */
  readonly requestTimeoutMs: number;
  /** An answer that has begun and says nothing more for this long is given up. */
  readonly replySilenceMs: number;
  /** An answer larger than this is an error. */
  readonly maxReplyBytes: number;
  /** A watch event larger than this is an error. */
  readonly maxWatchLineBytes: number;
  /** A watch that asked for bookmarks (which come each minute) and hears nothing for this long is given up. */
  readonly watchSilenceMs: number;
  /** The kernel probes a silent connection after this, and gives it up some ten seconds later. */
  readonly tcpKeepAliveMs: number;
}

/** The limits unless told. */
export const HTTP_LIMITS: HttpLimits = {
  maxSockets: 32,
  maxFreeSockets: 8,
  maxIdleMs: 45_000,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 65_000,
  replySilenceMs: 65_000,
  maxReplyBytes: 512 * 1024 * 1024,
  maxWatchLineBytes: 16 * 1024 * 1024,
  watchSilenceMs: 3 * 60_000,
  tcpKeepAliveMs: 15_000,
  ...RETRY_LIMITS,
};

/** Options with nothing left open. */
export interface ResolvedHttpOptions {
  readonly server: URL;
  readonly credentials: CredentialSource;
  readonly impersonation: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized: boolean;
  };
  readonly userAgent: string;
  readonly clock: Clock;
  readonly limits: HttpLimits;
}

/** Checks and completes the options. Throws TypeError for a server that is no http or https URL. */
export function resolveHttpOptions(options: HttpTransportOptions): ResolvedHttpOptions {
  const { ca, clientCert, clientKey, tlsServerName } = options;
  return Object.freeze({
    server: serverUrl(options.server),
    credentials: options.credentials ?? tokenSource(options.token),
    impersonation: impersonationHeaders(options.impersonate),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(clientCert === undefined ? {} : { cert: clientCert }),
      ...(clientKey === undefined ? {} : { key: clientKey }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      rejectUnauthorized: options.insecureSkipTlsVerify !== true,
    },
    userAgent: options.userAgent ?? 'pinnace',
    clock: options.clock ?? systemClock,
    limits: Object.freeze({ ...HTTP_LIMITS, ...options.limits }),
  });
}

function impersonationHeaders(
  as: Impersonation | undefined,
): Readonly<Record<string, string | readonly string[]>> {
  if (!as) return {};
  const extra = Object.entries(as.extra ?? {}).map(
    ([key, values]) => [`impersonate-extra-${encodeURIComponent(key)}`, values] as const,
  );
  return {
    'impersonate-user': as.username,
    ...(as.uid === undefined ? {} : { 'impersonate-uid': as.uid }),
    ...(as.groups?.length ? { 'impersonate-group': as.groups } : {}),
    ...Object.fromEntries(extra),
  };
}

function serverUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new TypeError(`the server ${JSON.stringify(text)} is not an http or https URL`);
  return url;
}
