// What is to become of a Secret for a ServiceAccount's token. Pure.
// Invariant: a token that is there stays as it is, since somebody may use it; only what is missing is filled in.
import type { Secret, ServiceAccount } from '../../api/generated/types.ts';

/** The type of such Secrets. */
export const TOKEN_SECRET_TYPE = 'kubernetes.io/service-account-token';
/** Annotations that name the account. */
export const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** What Secrets are filled with. */
export interface LegacyTokens {
  /** PEM of the cluster's CA. */
  readonly caCertificate: string;
  /** The token of an account, for the Secret of that name. */
  sign(about: {
    readonly namespace: string;
    readonly account: { readonly name: string; readonly uid: string };
    readonly secret: string;
  }): string;
}

/** What to do. */
export type SecretPlan =
  | { readonly kind: 'keep' }
  | { readonly kind: 'remove' }
  | { readonly kind: 'fill'; readonly secret: Secret };

/** The plan for a Secret that names an account; `account` is undefined where there is none of that name. */
export function planSecret(
  secret: Secret,
  account: ServiceAccount | undefined,
  tokens: LegacyTokens,
): SecretPlan {
  const { metadata, data = {} } = secret;
  const { name = '', uid = '' } = account?.metadata ?? {};
  const said = metadata.annotations?.[ACCOUNT_UID];
  // A namesake is another account: its predecessor's token goes.
  if (!account || (said && said !== uid)) return { kind: 'remove' };
  const { namespace = '' } = metadata;
  const about = { namespace, account: { name, uid }, secret: metadata.name ?? '' };
  const full: Record<string, string> = {
    'ca.crt': base64(tokens.caCertificate),
    namespace: base64(namespace),
    token: data['token'] || base64(tokens.sign(about)),
  };
  const isFull = said === uid && Object.entries(full).every(([key, text]) => data[key] === text);
  if (isFull) return { kind: 'keep' };
  const annotations = { ...metadata.annotations, [ACCOUNT_UID]: uid };
  return {
    kind: 'fill',
    secret: { ...secret, metadata: { ...metadata, annotations }, data: { ...data, ...full } },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
