// What pull secrets say, and which of it is meant for an image. Pure.
// Invariants: the rules are those of upstream's keyring: the most specific entry first, hosts by globs part for part, paths by
// their beginnings; what a secret holds is never in a message.
import type { Secret } from '../../api/generated/types.ts';
import type { RegistryCredential } from '../runtime/runtime.ts';

/** A credential and what it is for: a registry's host (globs allowed), its port and the beginning of a path. */
export interface KeyringEntry {
  readonly key: string;
  readonly credential: RegistryCredential;
}

/** A secret that holds no credentials; the message says why, and nothing of what it holds. */
export class BadPullSecret extends Error {
  override readonly name = 'BadPullSecret';
}

/** Entries that one secret gives at most; further ones are not looked at. */
export const MAX_SECRET_ENTRIES = 1000;
/** Where docker's own registry is written down in configurations. */
const DEFAULT_REGISTRY_KEY = 'index.docker.io';
const DEFAULT_REGISTRIES = ['docker.io', DEFAULT_REGISTRY_KEY];

/** What a secret of type kubernetes.io/dockerconfigjson or dockercfg has; of another type nothing. Throws BadPullSecret. */
export function entriesOf(secret: Secret): readonly KeyringEntry[] {
  const { type, data = {} } = secret;
  if (type === 'kubernetes.io/dockerconfigjson') {
    const config = objectIn(data['.dockerconfigjson'], '.dockerconfigjson');
    return entriesIn(config['auths'] ?? {}, '.dockerconfigjson');
  }
  if (type === 'kubernetes.io/dockercfg')
    return entriesIn(objectIn(data['.dockercfg'], '.dockercfg'), '.dockercfg');
  return [];
}

/** Credentials for an image of the repository, the most specific first. */
export function credentialsFor(
  repository: string,
  entries: readonly KeyringEntry[],
): readonly RegistryCredential[] {
  const sorted = entries.toSorted((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0));
  const target = targetOf(repository);
  const matching = sorted.filter(({ key }) => matches(targetOf(key), target));
  const chosen =
    matching.length === 0 && DEFAULT_REGISTRIES.includes(target.host)
      ? sorted.filter(({ key }) => key === DEFAULT_REGISTRY_KEY)
      : matching;
  return chosen.map(({ credential }) => credential);
}

function objectIn(base64: string | undefined, field: string): Record<string, unknown> {
  if (base64 === undefined) throw new BadPullSecret(`it has no ${field}`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch {
    throw new BadPullSecret(`its ${field} is no JSON`);
  }
  return asObject(value, field);
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadPullSecret(`its ${what} is no object`);
  return value as Record<string, unknown>;
}

function entriesIn(auths: unknown, field: string): readonly KeyringEntry[] {
  return Object.entries(asObject(auths, field))
    .slice(0, MAX_SECRET_ENTRIES)
    .map(([server, entry]) => ({
      key: keyOf(server),
      credential: credentialOf(asObject(entry, field), field),
    }));
}

/** `auth` counts before the fields that it is made of, as in upstream. */
function credentialOf(entry: Record<string, unknown>, field: string): RegistryCredential {
  const text = (name: string) => {
    const value = entry[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const auth = text('auth');
  const decoded = auth === undefined ? undefined : Buffer.from(auth, 'base64').toString('utf8');
  const colon = decoded?.indexOf(':') ?? -1;
  if (decoded !== undefined && colon < 0)
    throw new BadPullSecret(`an auth in its ${field} is not base64 of USER:PASSWORD`);
  const username = decoded === undefined ? text('username') : decoded.slice(0, colon);
  const password = decoded === undefined ? text('password') : decoded.slice(colon + 1);
  const identityToken = text('identitytoken');
  const registryToken = text('registrytoken');
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(identityToken !== undefined && { identityToken }),
    ...(registryToken !== undefined && { registryToken }),
  };
}

/** `https://index.docker.io/v1/` is `index.docker.io`: scheme and version of the protocol say nothing of what it is for. */
function keyOf(server: string): string {
  const bare = server.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  if (slash < 0) return bare;
  const path = bare.slice(slash).replace(/^\/v[12]\//, '/');
  return path === '/' ? bare.slice(0, slash) : bare.slice(0, slash) + path;
}

interface Target {
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

function targetOf(text: string): Target {
  const slash = text.indexOf('/');
  const authority = slash < 0 ? text : text.slice(0, slash);
  const [host = '', port = ''] = authority.split(':');
  return { host, port, path: slash < 0 ? '' : text.slice(slash) };
}

function matches(glob: Target, target: Target): boolean {
  if (glob.port !== target.port || !target.path.startsWith(glob.path)) return false;
  const [globs, parts] = [glob.host.split('.'), target.host.split('.')];
  return globs.length === parts.length && globs.every((each, i) => partMatches(each, parts[i]));
}

/** One part of a host against a glob of `*` and `?`: linear, whatever the glob. */
function partMatches(glob: string, part = ''): boolean {
  let [at, from] = [0, 0];
  let star = -1;
  for (let i = 0; i < part.length; ) {
    if (at < glob.length && (glob[at] === '?' || glob[at] === part[i]) && glob[at] !== '*') {
      at++;
      i++;
    } else if (glob[at] === '*') {
      star = at++;
      from = i;
    } else if (star >= 0) {
      at = star + 1;
      i = ++from;
    } else return false;
  }
  return /^\**$/.test(glob.slice(at));
}
