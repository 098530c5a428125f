// What went wrong between this node and a registry, and whether it may be tried again.
// Invariant: messages are one line for the image's user, name the registry's host, and hold no secret.

/** `unavailable`: no useful answer; `denied`: not for who asked; `missing`: it is not there; `refused`: anything else that it said. */
export type RegistryFailure = 'unavailable' | 'denied' | 'missing' | 'refused';

/** A failed exchange with a registry. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly failure: RegistryFailure;
  /** The same again may succeed soon. */
  readonly passing: boolean;
  /** How long the registry asked to wait first. */
  readonly retryAfterMs: number | undefined;

  constructor(
    failure: RegistryFailure,
    message: string,
    more: { passing?: boolean; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.failure = failure;
    this.passing = more.passing ?? false;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** Codes of connections that were made and then lost. */
const LOST = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET']);
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name cannot be resolved now',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENETUNREACH: 'the network is unreachable',
  EHOSTUNREACH: 'the host is unreachable',
};
const TLS = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO|HOSTNAME_)/;

/** What the other side says of the certificate that it was shown. */
const ALERT = /^ERR_SSL_.*ALERT_(CERTIFICATE_REQUIRED|UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_)/;

const firstPart = (message: string): string => message.split(/[\n;]/)[0]?.slice(0, 200) ?? '';

/** A failure of the connection itself. */
export function connectionFailure(host: string, error: unknown): RegistryError {
  if (error instanceof RegistryError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (ALERT.test(code))
    return new RegistryError(
      'unavailable',
      `${host}: it wants to be shown a certificate that it trusts, and was shown another or none (${firstPart(message)}); the settings of registries can name clientCertificate and clientKey`,
      { cause: error },
    );
  if (TLS.test(code))
    return new RegistryError(
      'unavailable',
      `${host}: its certificate or its TLS is not accepted (${firstPart(message)}); the settings of registries can name its CA`,
      { cause: error },
    );
  const words = WORDS[code] ?? (code === '' ? message : `${message} (${code})`);
  return new RegistryError('unavailable', `${host}: ${words}`, {
    passing: LOST.has(code) || message === 'aborted',
    cause: error,
  });
}
