// How a command reaches the cluster: kubeconfig, context and namespace from flags and environment, as kubectl takes them.
// Invariant: nothing is connected or discovered before a command asks for it.
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import {
  type Discovery,
  type DiscoveredResource,
  discover,
  resourceNamed,
} from '../../client/discovery/discovery.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { CommandFailure, failureAt } from './command-failure.ts';

/** Flags of every command that talks to a cluster. */
export interface ConnectionFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** A cluster to talk to. */
export interface Connection {
  readonly client: Client;
  readonly namespace: string;
  /** URL of the server. */
  readonly server: string;
  discovery(): Promise<Discovery>;
  /** The resource a person names; throws when the server has none of that name. */
  resource(name: string): Promise<DiscoveredResource>;
  close(): void;
}

/** Adds the common flags. */
export function withConnectionFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'the kubeconfig to use')
    .option('--context <name>', 'the context of the kubeconfig')
    .option('-n, --namespace <name>', 'the namespace');
}

/** Connects as the flags say, and closes the connection when `use` has ended. A server that is away is told as such. */
export async function connected(
  flags: ConnectionFlags,
  use: (connection: Connection) => Promise<void>,
): Promise<void> {
  const connection = await connect(flags);
  try {
    await use(connection);
  } catch (error) {
    throw failureAt(connection.server, error);
  } finally {
    connection.close();
  }
}

async function connect(flags: ConnectionFlags): Promise<Connection> {
  const path = kubeconfigPath(flags.kubeconfig, process.env);
  const config = await loadKubeconfig(path, flags.context ? { context: flags.context } : {});
  const transport = createHttpTransport({ ...config.transport, userAgent: 'pinnace-cli' });
  let found: Promise<Discovery> | undefined;
  const discovery = () => (found ??= discover(transport));
  return {
    client: createClient(transport),
    namespace: flags.namespace ?? config.namespace,
    server: config.transport.server,
    discovery,
    async resource(name) {
      const resource = resourceNamed(await discovery(), name);
      if (!resource) throw new CommandFailure(`the server doesn't have a resource type "${name}"`);
      return resource;
    },
    close: () => transport.close(),
  };
}

/** --kubeconfig, else KUBECONFIG (its files together), else that of `pinnace up`, else ~/.kube/config. */
function kubeconfigPath(
  flag: string | undefined,
  environment: NodeJS.ProcessEnv,
): string | readonly string[] {
  if (flag !== undefined) return flag;
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const own = join(environment['PINNACE_DATA_DIR'] ?? join(homedir(), '.pinnace'), 'kubeconfig');
  const candidates = listed.length > 0 ? listed : [own, join(homedir(), '.kube', 'config')];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new CommandFailure(
      `no kubeconfig at ${candidates.join(' or ')}; start a cluster with "npx pinnace up", or name a file with --kubeconfig`,
    );
  return listed.length > 0 ? listed : path;
}
