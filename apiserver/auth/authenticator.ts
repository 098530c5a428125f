// Who makes a request: by client certificate, by bearer token, or nobody in particular.
// Invariant: a credential that is wrong is refused, never taken for anonymous; a certificate counts only once TLS verified it, and one
// that TLS did not verify is wrong.
import { StatusError } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import type { TokenReader } from './bearer-token.ts';
import { CREDENTIAL_ID } from './token-claims.ts';

/** The subject of a verified client certificate; CN is the user, each O a group. */
export interface CertificateSubject {
  readonly CN?: string | readonly string[] | undefined;
  readonly O?: string | readonly string[] | undefined;
  /** SHA-256 of the whole certificate, in hexadecimal digits with or without colons: what the user is told to have shown. */
  readonly fingerprint256?: string | undefined;
}

/** In place of a certificate that is shown, and that nobody vouches for: of another authority, or too old. */
export const UNVERIFIED = 'unverified';

/** What a request shows of its maker. */
export interface Credentials {
  readonly authorization: string | undefined;
  /** Undefined without a certificate. */
  readonly certificate: CertificateSubject | typeof UNVERIFIED | undefined;
}

/** Finds the user. Throws Unauthorized. */
export type Authenticator = (credentials: Credentials) => UserInfo;

/** The group of everybody who is known. */
export const AUTHENTICATED = 'system:authenticated';
/** The group of everybody else. */
export const UNAUTHENTICATED = 'system:unauthenticated';
/** Who sends no credential. */
export const ANONYMOUS: UserInfo = { username: 'system:anonymous', groups: [UNAUTHENTICATED] };

/** An authenticator; bearer tokens are read by `read`, and must be for one of the server's own `audiences`. */
export function createAuthenticator(
  read: TokenReader,
  audiences: readonly string[],
): Authenticator {
  return ({ authorization, certificate }) => {
    const isVerified = certificate !== UNVERIFIED;
    const known = certificate && isVerified ? fromCertificate(certificate) : undefined;
    if (known) return known;
    if (authorization === undefined && isVerified) return ANONYMOUS;
    const token = /^bearer +(\S+)$/i.exec(authorization?.trim() ?? '')?.[1];
    const verdict = token === undefined ? undefined : read(token, audiences);
    if (verdict?.kind !== 'known') throw new StatusError('Unauthorized', 'Unauthorized');
    return authenticated(verdict.user);
  };
}

/** Users by subject: a connection's requests share one UserInfo, and what is remembered about it (see rbac.ts). */
const users = new WeakMap<CertificateSubject, UserInfo>();

function fromCertificate(subject: CertificateSubject): UserInfo | undefined {
  const known = users.get(subject) ?? userOf(subject);
  if (known) users.set(subject, known);
  return known;
}

function userOf({ CN, O, fingerprint256 }: CertificateSubject): UserInfo | undefined {
  const username = typeof CN === 'string' ? CN : CN?.[0];
  if (!username) return undefined;
  const groups = O === undefined ? [] : typeof O === 'string' ? [O] : [...O];
  if (fingerprint256 === undefined) return authenticated({ username, groups });
  const digest = fingerprint256.replaceAll(':', '').toLowerCase();
  return authenticated({ username, groups, extra: { [CREDENTIAL_ID]: [`X509SHA256=${digest}`] } });
}

/** The user with the group of everybody who is known. */
export function authenticated(user: UserInfo): UserInfo {
  return user.groups.includes(AUTHENTICATED)
    ? user
    : { ...user, groups: [...user.groups, AUTHENTICATED] };
}
