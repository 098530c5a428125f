// What ServiceAccounts' tokens say, and who they make a request's user. Pure.
// Names of claims and of the user's extra fields are those that Kubernetes' documentation fixes ("Managing Service
// Accounts", KEP-1205, KEP-4193). Times are seconds since 1970.
import type { UserInfo } from '../../api/wire/exchange.ts';

/** An object that a token is tied to. */
export interface Tie {
  readonly name: string;
  readonly uid: string;
}

/** What a token says of the cluster. */
export interface AccountClaims {
  readonly namespace: string;
  readonly serviceaccount: Tie;
  readonly pod?: Tie;
  readonly secret?: Tie;
  /** Of the pod where there is one; else the object that the token is tied to. */
  readonly node?: Tie;
  /** The moment when its holder should have asked for another one; only in tokens that live longer than was asked. */
  readonly warnafter?: number;
}

/** A token's claims. */
export interface TokenClaims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  readonly jti: string;
  readonly 'kubernetes.io': AccountClaims;
  readonly nbf: number;
  readonly sub: string;
}

/** The user's extra field that tells which certificate or token was shown. */
export const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';

/** The issuer of tokens that live in Secrets and never expire. */
const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const LEGACY = 'kubernetes.io/serviceaccount/';

/** What a token in a Secret is about. */
export interface LegacyClaims {
  readonly namespace: string;
  readonly account: Tie;
  readonly secret: string;
}

/** The name of an account as a user. */
export function accountUsername(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The claims of a Secret's token. */
export function legacyClaims({ namespace, account, secret }: LegacyClaims): object {
  return {
    iss: LEGACY_ISSUER,
    [`${LEGACY}namespace`]: namespace,
    [`${LEGACY}secret.name`]: secret,
    [`${LEGACY}service-account.name`]: account.name,
    [`${LEGACY}service-account.uid`]: account.uid,
    sub: accountUsername(namespace, account.name),
  };
}

/** Reads what legacyClaims made; undefined for claims of another sort. */
export function readLegacyClaims(
  claims: Readonly<Record<string, unknown>>,
): LegacyClaims | undefined {
  if (claims['iss'] !== LEGACY_ISSUER) return undefined;
  const text = (name: string) => String(claims[`${LEGACY}${name}`]);
  const account = { name: text('service-account.name'), uid: text('service-account.uid') };
  return { namespace: text('namespace'), account, secret: text('secret.name') };
}

/** The user whose requests come with a token of the account. */
export function accountUser(namespace: string, account: Tie): UserInfo {
  return {
    username: accountUsername(namespace, account.name),
    uid: account.uid,
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
  };
}

/** The same with what the token is tied to. */
export function tokenUser(claims: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io'];
  const extra: Record<string, string[]> = {
    [CREDENTIAL_ID]: [`JTI=${claims.jti}`],
  };
  for (const [kind, tie] of [['pod', pod] as const, ['node', node] as const]) {
    if (!tie) continue;
    extra[`authentication.kubernetes.io/${kind}-name`] = [tie.name];
    if (tie.uid) extra[`authentication.kubernetes.io/${kind}-uid`] = [tie.uid];
  }
  return { ...accountUser(namespace, serviceaccount), extra };
}
