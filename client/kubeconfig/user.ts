// How the user of a kubeconfig signs in: certificate, token, token file, or a program that gets one of them.
// Invariant: a way that this client does not have is refused by name, never passed over.
import type { Clock } from '../../base/clock.ts';
import type { HttpTransportOptions, Impersonation } from '../transport/http-options.ts';
import { execPluginSource } from './exec-plugin.ts';
import {
  type Fields,
  KubeconfigError,
  optionalText,
  type Part,
  pem,
  quote,
  readPart,
} from './fields.ts';
import { tokenFileSource } from './token-file.ts';

/** Ways to sign in that this client does not have, and what to do instead. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'auth-provider': 'use the exec plugin that took its place',
  username: 'servers take no passwords any more; use a token, a certificate or an exec plugin',
  password: 'servers take no passwords any more; use a token, a certificate or an exec plugin',
};

/** A user's entry, and the cluster that it is for. */
export interface UserPart extends Part {
  readonly name: string;
  /** The cluster's entry, for exec plugins. */
  readonly cluster: Fields;
  readonly clock: Clock;
  readonly execTimeoutMs?: number | undefined;
}

/** What a transport is told of the user. Throws KubeconfigError. */
export async function userOptions(part: UserPart): Promise<Omit<HttpTransportOptions, 'server'>> {
  const of = `user ${quote(part.name)}`;
  for (const [field, instead] of Object.entries(UNSUPPORTED))
    if (part.fields[field] !== undefined)
      throw new KubeconfigError(`${of} signs in by ${field}, which is not supported: ${instead}`);
  const clientCert = await pem(part, 'client-certificate', of);
  const clientKey = await pem(part, 'client-key', of);
  if ((clientCert === undefined) !== (clientKey === undefined))
    throw new KubeconfigError(
      `${of} has only one of client-certificate and client-key; a certificate needs its key`,
    );
  const impersonate = impersonationOf(part.fields, of);
  return {
    ...(clientCert === undefined ? {} : { clientCert }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(await tokenOptions(part, of)),
    ...(impersonate === undefined ? {} : { impersonate }),
  };
}

/** A token file comes before an inline token, and both before a plugin, as with kubectl. */
async function tokenOptions(
  part: UserPart,
  of: string,
): Promise<Pick<HttpTransportOptions, 'token' | 'credentials'>> {
  const { fields, clock } = part;
  const path = optionalText(fields, 'tokenFile');
  if (path !== undefined) {
    const read = () => readPart(part, path, `${of}: tokenFile`);
    const credentials = tokenFileSource(read, clock);
    await credentials.current();
    return { credentials };
  }
  const token = optionalText(fields, 'token');
  if (token !== undefined) return { token };
  const exec = fields['exec'];
  if (exec === undefined || exec === null) return {};
  if (typeof exec !== 'object') throw new KubeconfigError(`${of}: exec is not a mapping`);
  const { directory, cluster, execTimeoutMs: timeoutMs } = part;
  const plugin = { fields: exec as Fields, of, directory, cluster, clock, timeoutMs };
  return { credentials: execPluginSource(plugin) };
}

function impersonationOf(fields: Fields, of: string): Impersonation | undefined {
  const username = optionalText(fields, 'as');
  const uid = optionalText(fields, 'as-uid');
  const groups = (fields['as-groups'] ?? []) as readonly string[];
  const extra = (fields['as-user-extra'] ?? {}) as Readonly<Record<string, readonly string[]>>;
  const isTexts = (value: unknown) =>
    Array.isArray(value) && value.every((each) => typeof each === 'string');
  if (!isTexts(groups) || !Object.values(extra).every(isTexts))
    throw new KubeconfigError(`${of}: as-groups and as-user-extra are lists of texts`);
  if (username !== undefined) return { username, uid, groups, extra };
  if (uid !== undefined || groups.length > 0 || Object.keys(extra).length > 0)
    throw new KubeconfigError(`${of} has as-uid, as-groups or as-user-extra, but no "as"`);
  return undefined;
}
