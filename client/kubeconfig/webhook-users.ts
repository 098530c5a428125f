// The users of a kubeconfig that says how webhooks are called: by the name of the webhook instead of by contexts.
// Invariant: a way to sign in that calls of webhooks do not have is refused by name, never passed over.
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import {
  type Fields,
  KubeconfigError,
  optionalText,
  type Part,
  pem,
  quote,
  readPart,
  readText,
} from './fields.ts';
import { named, parseKubeconfigFields } from './kubeconfig.ts';
import { tokenFileSource } from './token-file.ts';

/** How one webhook is called; PEM texts. */
export interface WebhookUser {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The Authorization header to send now. */
  readonly authorization?: (() => Promise<string>) | undefined;
}

/** Any webhook without a name of its own. */
const ANY = '*';
const UNSUPPORTED = ['exec', 'auth-provider', 'as', 'as-uid', 'as-groups', 'as-user-extra'];

/**
 * Reads the users of the file at `path`; that of its current-context is everybody's where there is no `*`, as upstream. Throws
 * KubeconfigError, with the path in its message.
 */
export async function loadWebhookUsers(
  path: string,
  clock: Clock,
): Promise<ReadonlyMap<string, WebhookUser>> {
  try {
    const file = parseKubeconfigFields(await readText(path));
    const directory = dirname(resolve(path));
    const users = new Map<string, WebhookUser>();
    for (const entry of named(file, 'user')) {
      const name = optionalText(entry, 'name') ?? '';
      if (users.has(name)) throw new KubeconfigError(`two users are named ${quote(name)}`);
      const fields = (entry['user'] ?? {}) as Fields;
      users.set(name, await webhookUser({ fields, directory, read: readText }, name, clock));
    }
    const current = currentUser(file);
    // A user without a name is nobody's, not that of a context that is not there.
    const anybody = users.get(ANY) ?? (current ? users.get(current) : undefined);
    return anybody ? users.set(ANY, anybody) : users;
  } catch (error) {
    throw new KubeconfigError(`kubeconfig ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function currentUser(file: Fields): string | undefined {
  const current = optionalText(file, 'current-context');
  const context = named(file, 'context').find(({ name }) => name === current)?.['context'];
  return current === undefined ? undefined : optionalText((context ?? {}) as Fields, 'user');
}

async function webhookUser(part: Part, name: string, clock: Clock): Promise<WebhookUser> {
  const of = `user ${quote(name)}`;
  const refused = UNSUPPORTED.find((field) => part.fields[field] !== undefined);
  if (refused !== undefined)
    throw new KubeconfigError(
      `${of} has ${refused}, which webhooks are not called with; give a client-certificate, a token, a tokenFile, or a username and password`,
    );
  const cert = await pem(part, 'client-certificate', of);
  const key = await pem(part, 'client-key', of);
  if ((cert === undefined) !== (key === undefined))
    throw new KubeconfigError(
      `${of} has only one of client-certificate and client-key; a certificate needs its key`,
    );
  return { cert, key, authorization: await authorizationOf(part, of, clock) };
}

async function authorizationOf(
  part: Part,
  of: string,
  clock: Clock,
): Promise<WebhookUser['authorization']> {
  const text = (field: string) => optionalText(part.fields, field);
  const [username, password, token, path] = [
    text('username'),
    text('password'),
    text('token'),
    text('tokenFile'),
  ];
  const isBasic = username !== undefined || password !== undefined;
  if (isBasic && (token !== undefined || path !== undefined))
    throw new KubeconfigError(
      `${of} has a username or password and a token; leave one of them out`,
    );
  if (isBasic) {
    const pair = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64');
    return () => Promise.resolve(`Basic ${pair}`);
  }
  if (path !== undefined) {
    const source = tokenFileSource(() => readPart(part, path, `${of}: tokenFile`), clock);
    await source.current();
    return async () => `Bearer ${(await source.current()).token}`;
  }
  return token === undefined ? undefined : () => Promise.resolve(`Bearer ${token}`);
}
