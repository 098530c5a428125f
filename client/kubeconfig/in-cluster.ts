// How a program in a pod reaches the API server of its cluster: by the files and variables that every container is given.
// Invariant: the token is read anew as it is written anew, for it expires long before the program ends.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';
import type { HttpTransportOptions } from '../transport/http-options.ts';
import { KubeconfigError } from './fields.ts';
import { tokenFileSource } from './token-file.ts';

/** Where every container finds its token, the CA's certificate and its namespace. */
const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What a program in a pod knows of itself. */
export interface InClusterConfig {
  /** The pod's own. */
  readonly namespace: string;
  readonly transport: HttpTransportOptions;
}

/** How to find out. */
export interface InClusterChoice {
  /** The program's environment: the caller reads it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder?: string | undefined;
  readonly clock?: Clock | undefined;
}

/** Is this a program in a pod? */
export function isInCluster({ environment }: InClusterChoice): boolean {
  return !!environment['KUBERNETES_SERVICE_HOST'] && !!environment['KUBERNETES_SERVICE_PORT'];
}

/** The way to the API server from inside a pod. Throws KubeconfigError elsewhere, and where the pod was given no token. */
export async function inClusterConfig(choice: InClusterChoice): Promise<InClusterConfig> {
  const { environment, folder = FOLDER, clock = systemClock } = choice;
  if (!isInCluster(choice))
    throw new KubeconfigError(
      'this is no program in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
    );
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const authority = host.includes(':') ? `[${host}]` : host;
  const credentials = tokenFileSource(() => textOf(join(folder, 'token')), clock);
  const [ca, namespace] = await Promise.all([
    textOf(join(folder, 'ca.crt')),
    textOf(join(folder, 'namespace')),
    credentials.current(),
  ]);
  const server = `https://${authority}:${environment['KUBERNETES_SERVICE_PORT']}`;
  return { namespace: namespace.trim(), transport: { server, ca, credentials } };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new KubeconfigError(
      `${path} cannot be read (${(error as Error).message}): is automountServiceAccountToken off for this pod or its account?`,
      { cause: error },
    );
  }
}
