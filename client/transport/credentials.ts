// Who a client says it is, where that changes during its life: tokens and certificates that expire.
// Invariant: a request is answered 401 for good only after the source was told so and had nothing newer to offer.

/** What is shown to a server. Certificate and key are PEM texts, and come together. */
export interface Credential {
  readonly token?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
}

/** Where the current credential comes from. */
export interface CredentialSource {
  /** The one to show now. Asked before each request: keeps what it has for as long as that is good. */
  current(): Promise<Credential>;
  /** A server answered 401 to this one: `current` is to find a newer one, if there is any. */
  refused(credential: Credential): void;
}

/** A source of what never changes, or of tokens that are asked for each time. */
export function tokenSource(token: string | (() => Promise<string>) | undefined): CredentialSource {
  const fixed: Credential = typeof token === 'string' && token !== '' ? { token } : {};
  return {
    current: async () => (typeof token === 'function' ? { token: await token() } : fixed),
    refused: () => undefined,
  };
}

/** How an attempt went, as far as credentials go. */
export interface Attempt<T> {
  readonly outcome: T;
  readonly isUnauthorized: boolean;
}

/**
 * Makes an attempt with the current credential, and one more where that was refused and the source has another by now:
 * what was answered 401 was not done, so even a write may be made again.
 */
export async function withCredential<T>(
  source: CredentialSource,
  attempt: (credential: Credential) => Promise<Attempt<T>>,
): Promise<T> {
  const credential = await source.current();
  const first = await attempt(credential);
  if (!first.isUnauthorized) return first.outcome;
  source.refused(credential);
  const next = await source.current();
  return same(credential, next) ? first.outcome : (await attempt(next)).outcome;
}

function same(one: Credential, other: Credential): boolean {
  return one.token === other.token && one.clientCert === other.clientCert;
}
