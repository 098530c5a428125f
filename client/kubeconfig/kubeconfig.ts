// Kubeconfig files: read into what a transport needs, and written for those who are to reach a cluster.
// Invariant: a file that cannot work is refused here, with one line that says what is wrong and where.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import type { HttpTransportOptions } from '../transport/http-options.ts';

/** What a context of a kubeconfig comes to. */
export interface ResolvedKubeconfig {
  readonly context: string;
  readonly cluster: string;
  /** `default` where the context names none. */
  readonly namespace: string;
  readonly transport: HttpTransportOptions;
}

/** A kubeconfig that cannot be used; the message says why. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

/** Which part of the file counts. */
export interface KubeconfigChoice {
  /** The file's current-context unless given. */
  readonly context?: string | undefined;
  /** Reads a file the kubeconfig refers to; from disk unless given. */
  readonly read?: ((path: string) => Promise<string>) | undefined;
}

/** Reads the file at `path`. Throws KubeconfigError, with the path in its message. */
export async function loadKubeconfig(
  path: string,
  choice: KubeconfigChoice = {},
): Promise<ResolvedKubeconfig> {
  const read = choice.read ?? readText;
  try {
    return await parseKubeconfig(await read(path), dirname(resolve(path)), choice);
  } catch (error) {
    throw new KubeconfigError(`kubeconfig ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Names of the clusters that a kubeconfig's text holds. Throws KubeconfigError for a text that is none. */
export function clusterNames(text: string): string[] {
  const { clusters } = parseYaml(text);
  return (Array.isArray(clusters) ? (clusters as Fields[]) : []).map((each) =>
    String(each['name']),
  );
}

/** Reads a kubeconfig's text; relative paths in it start at `directory`. Throws KubeconfigError. */
export async function parseKubeconfig(
  text: string,
  directory: string,
  choice: KubeconfigChoice = {},
): Promise<ResolvedKubeconfig> {
  const file = parseYaml(text);
  const contextName = choice.context ?? optionalText(file, 'current-context');
  if (!contextName) throw new KubeconfigError('no context is given and current-context is not set');
  const context = entry(file, 'context', contextName);
  const clusterName = requiredText(context, 'cluster', `context ${quote(contextName)}`);
  const userName = optionalText(context, 'user');
  const files = { directory, read: choice.read ?? readText };
  const user = userName ? entry(file, 'user', userName) : {};
  return {
    context: contextName,
    cluster: clusterName,
    namespace: optionalText(context, 'namespace') ?? 'default',
    transport: {
      ...(await clusterOptions(
        { fields: entry(file, 'cluster', clusterName), ...files },
        clusterName,
      )),
      ...(await userOptions({ fields: user, ...files }, userName ?? '')),
    },
  };
}

/** What a kubeconfig of one cluster, one user and one context is to say. Certificates and keys are PEM texts. */
export interface KubeconfigContent {
  readonly name: string;
  readonly server: string;
  readonly ca?: string | undefined;
  readonly user: string;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly token?: string | undefined;
  readonly namespace?: string | undefined;
}

/** The text of a kubeconfig with everything in it. It holds secrets: keep the file to its owner (mode 0600). */
export function writeKubeconfig(content: KubeconfigContent): string {
  const { name, server, ca, user, clientCert, clientKey, token, namespace } = content;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, ...given('certificate-authority-data', ca, base64) } }],
    users: [
      {
        name: user,
        user: {
          ...given('client-certificate-data', clientCert, base64),
          ...given('client-key-data', clientKey, base64),
          ...given('token', token, String),
        },
      },
    ],
    contexts: [
      { name, context: { cluster: name, user, ...given('namespace', namespace, String) } },
    ],
    preferences: {},
  });
}

type Fields = Readonly<Record<string, unknown>>;

interface Part {
  readonly fields: Fields;
  readonly directory: string;
  readonly read: (path: string) => Promise<string>;
}

const readText = (path: string): Promise<string> => readFile(path, 'utf8');
const quote = (text: string): string => JSON.stringify(text);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function given(
  field: string,
  value: string | undefined,
  form: (value: string) => string,
): Record<string, string> {
  return value === undefined ? {} : { [field]: form(value) };
}

function parseYaml(text: string): Fields {
  // An alias bomb or a doubled key is refused by the parser's defaults.
  const document = parseDocument(text, { prettyErrors: true });
  const [first] = document.errors;
  if (first) throw new KubeconfigError(`it is not YAML: ${first.message}`);
  const value: unknown = document.toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new KubeconfigError('it is empty, or not a mapping');
  const kind = (value as Fields).kind;
  if (kind !== undefined && kind !== 'Config')
    throw new KubeconfigError(`its kind is ${JSON.stringify(kind)}, not "Config"`);
  return value as Fields;
}

/** The entry of `clusters`, `contexts` or `users` with that name. */
function entry(file: Fields, kind: 'cluster' | 'context' | 'user', name: string): Fields {
  const list = file[`${kind}s`];
  const found = Array.isArray(list)
    ? (list as (Fields | null)[]).find((each) => each?.name === name)
    : undefined;
  const fields = found?.[kind];
  if (typeof fields !== 'object' || fields === null) {
    const names = Array.isArray(list)
      ? (list as (Fields | null)[]).map((each) => String(each?.name))
      : [];
    const known = names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`;
    throw new KubeconfigError(`no ${kind} is named ${quote(name)}; ${known}`);
  }
  return fields as Fields;
}

function optionalText(fields: Fields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new KubeconfigError(`${field} is not a text`);
  return value;
}

function requiredText(fields: Fields, field: string, of: string): string {
  const value = optionalText(fields, field);
  if (value === undefined) throw new KubeconfigError(`${of} has no ${field}`);
  return value;
}

async function clusterOptions(part: Part, name: string): Promise<HttpTransportOptions> {
  const of = `cluster ${quote(name)}`;
  const server = requiredText(part.fields, 'server', of);
  if (!/^https?:\/\//.test(server) || !URL.canParse(server))
    throw new KubeconfigError(`${of} has the server ${quote(server)}, which is no http(s) URL`);
  if (optionalText(part.fields, 'proxy-url') !== undefined)
    throw new KubeconfigError(`${of} is reached through a proxy-url, which is not supported`);
  const ca = await pem(part, 'certificate-authority', of);
  const tlsServerName = optionalText(part.fields, 'tls-server-name');
  const insecure = part.fields['insecure-skip-tls-verify'] === true;
  if (insecure && ca !== undefined)
    throw new KubeconfigError(`${of} has a certificate-authority and insecure-skip-tls-verify`);
  return {
    server,
    ...(ca === undefined ? {} : { ca }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(insecure ? { insecureSkipTlsVerify: true } : {}),
  };
}

/** Ways to sign in that this client does not have. */
const UNSUPPORTED = ['exec', 'auth-provider', 'username', 'password', 'as', 'as-groups'];

async function userOptions(
  part: Part,
  name: string,
): Promise<Omit<HttpTransportOptions, 'server'>> {
  const of = `user ${quote(name)}`;
  for (const field of UNSUPPORTED)
    if (part.fields[field] !== undefined)
      throw new KubeconfigError(`${of} signs in by ${field}, which is not supported`);
  const clientCert = await pem(part, 'client-certificate', of);
  const clientKey = await pem(part, 'client-key', of);
  if ((clientCert === undefined) !== (clientKey === undefined))
    throw new KubeconfigError(`${of} has only one of client-certificate and client-key`);
  const token = (await tokenFile(part, of)) ?? optionalText(part.fields, 'token');
  return {
    ...(clientCert === undefined ? {} : { clientCert }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(token === undefined ? {} : { token }),
  };
}

/** A way to the token of the file that is named, if one is: such tokens expire, and the file is written anew. */
async function tokenFile(part: Part, of: string): Promise<(() => Promise<string>) | undefined> {
  const path = optionalText(part.fields, 'tokenFile');
  if (path === undefined) return undefined;
  const read = async () => (await readPart(part, path, `${of}: tokenFile`)).trim();
  await read();
  return read;
}

/** A PEM text, from `<field>-data` (base64) or else the file that `<field>` names. */
async function pem(part: Part, field: string, of: string): Promise<string | undefined> {
  const data = optionalText(part.fields, `${field}-data`);
  const path = optionalText(part.fields, field);
  if (data === undefined && path === undefined) return undefined;
  const text =
    data !== undefined
      ? Buffer.from(data, 'base64').toString('utf8')
      : await readPart(part, path as string, `${of}: ${field}`);
  if (!text.includes('-----BEGIN '))
    throw new KubeconfigError(`${of}: ${field}${data === undefined ? '' : '-data'} is not PEM`);
  return text;
}

async function readPart(part: Part, path: string, of: string): Promise<string> {
  try {
    return await part.read(resolve(part.directory, path));
  } catch (error) {
    throw new KubeconfigError(`${of}: ${(error as Error).message}`, { cause: error });
  }
}
