// Kubeconfig files: read into what a transport needs, and written for those who are to reach a cluster.
// Invariant: a file that cannot work is refused here, with one line that says what is wrong and where.
import { delimiter, dirname, resolve } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { HttpTransportOptions } from '../transport/http-options.ts';
import {
  type Fields,
  KubeconfigError,
  optionalText,
  type Part,
  pem,
  quote,
  readText,
  requiredText,
} from './fields.ts';
import { userOptions } from './user.ts';

export { KubeconfigError } from './fields.ts';

/** What a context of a kubeconfig comes to. */
export interface ResolvedKubeconfig {
  readonly context: string;
  readonly cluster: string;
  /** `default` where the context names none. */
  readonly namespace: string;
  readonly transport: HttpTransportOptions;
}

/** Which part of the file counts. */
export interface KubeconfigChoice {
  /** The file's current-context unless given. */
  readonly context?: string | undefined;
  /** Reads a file the kubeconfig refers to; from disk unless given. */
  readonly read?: ((path: string) => Promise<string>) | undefined;
  /** Tells when tokens are old; the host's unless given. */
  readonly clock?: Clock | undefined;
  /** How long an exec plugin may take; EXEC_PLUGIN_TIMEOUT_MS (exec-plugin.ts) unless given. */
  readonly execTimeoutMs?: number | undefined;
}

/**
 * Reads the file at `path`; of several, as KUBECONFIG may name them, all that are there, and an entry or current-context counts
 * where it is set first. Throws KubeconfigError, with the path in its message.
 */
export async function loadKubeconfig(
  path: string | readonly string[],
  choice: KubeconfigChoice = {},
): Promise<ResolvedKubeconfig> {
  const paths = typeof path === 'string' ? [path] : path;
  const files: KubeconfigFile[] = [];
  let gone: unknown;
  for (const each of paths)
    try {
      const text = await (choice.read ?? readText)(each);
      files.push({ fields: parseKubeconfigFields(text), directory: dirname(resolve(each)) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw about(each, error);
      gone = error;
    }
  const shown = paths.join(delimiter);
  if (files.length === 0) {
    const why = 'there is no such file; name another, or set KUBECONFIG';
    throw new KubeconfigError(`kubeconfig ${shown}: ${why}`, { cause: gone });
  }
  return resolveKubeconfig(files, choice).catch((error: unknown) => {
    throw about(shown, error);
  });
}

function about(path: string, error: unknown): KubeconfigError {
  return new KubeconfigError(`kubeconfig ${path}: ${(error as Error).message}`, { cause: error });
}

/** One of the files that count together. */
interface KubeconfigFile {
  readonly fields: Fields;
  readonly directory: string;
}

/** Names of the clusters that a kubeconfig's text holds. Throws KubeconfigError for a text that is none. */
export function clusterNames(text: string): string[] {
  const { clusters } = parseKubeconfigFields(text);
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
  return resolveKubeconfig([{ fields: parseKubeconfigFields(text), directory }], choice);
}

async function resolveKubeconfig(
  files: readonly KubeconfigFile[],
  choice: KubeconfigChoice,
): Promise<ResolvedKubeconfig> {
  const current = files.map(({ fields }) => optionalText(fields, 'current-context'));
  const contextName = choice.context ?? current.find((name) => name !== undefined);
  if (!contextName)
    throw new KubeconfigError(
      `no context is given and current-context is not set; ${known(files, 'context')}`,
    );
  const { fields: context } = entry(files, 'context', contextName);
  const clusterName = requiredText(context, 'cluster', `context ${quote(contextName)}`);
  const userName = optionalText(context, 'user');
  const { read = readText, clock = systemClock, execTimeoutMs } = choice;
  const cluster = { ...entry(files, 'cluster', clusterName), read };
  const user = userName ? entry(files, 'user', userName) : { fields: {}, directory: '' };
  const reached = await clusterOptions(cluster, clusterName);
  const info = clusterInfo(cluster.fields, reached);
  const signing = { name: userName ?? '', cluster: info, clock, read, execTimeoutMs };
  return {
    context: contextName,
    cluster: clusterName,
    namespace: optionalText(context, 'namespace') ?? 'default',
    transport: { ...reached, ...(await userOptions({ ...user, ...signing })) },
  };
}

/** The cluster as exec plugins are told of it: everything in it, nothing in files. */
function clusterInfo(fields: Fields, { ca, server }: HttpTransportOptions): Fields {
  const { 'certificate-authority': _, extensions, ...rest } = fields;
  const own = (Array.isArray(extensions) ? (extensions as Fields[]) : []).find(
    (each) => each?.['name'] === 'client.authentication.k8s.io/exec',
  );
  return {
    ...rest,
    server,
    ...given('certificate-authority-data', ca, base64),
    ...(own && { config: own['extension'] }),
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

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function given(
  field: string,
  value: string | undefined,
  form: (value: string) => string,
): Record<string, string> {
  return value === undefined ? {} : { [field]: form(value) };
}

/** The fields of a kubeconfig's text. Throws KubeconfigError. */
export function parseKubeconfigFields(text: string): Fields {
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

type Kind = 'cluster' | 'context' | 'user';

/** For messages: what entries there are. */
function known(files: readonly KubeconfigFile[], kind: Kind): string {
  const names = files.flatMap(({ fields }) => named(fields, kind)).map((each) => each['name']);
  return names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`;
}

/** The entry of `clusters`, `contexts` or `users` with that name, in the first file that has one. */
function entry(files: readonly KubeconfigFile[], kind: Kind, name: string): KubeconfigFile {
  for (const { fields: file, directory } of files) {
    const found = named(file, kind).find((each) => each['name'] === name);
    const fields = found?.[kind];
    if (typeof fields === 'object' && fields !== null)
      return { fields: fields as Fields, directory };
  }
  throw new KubeconfigError(`no ${kind} is named ${quote(name)}; ${known(files, kind)}`);
}

/** The entries of one sort, with their names. */
export function named(file: Fields, kind: Kind): readonly Fields[] {
  const list = file[`${kind}s`];
  return Array.isArray(list) ? (list as (Fields | null)[]).filter((each) => each !== null) : [];
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
