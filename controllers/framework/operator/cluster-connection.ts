// How an operator finds its cluster: KUBECONFIG, else the pod it runs in, else ~/.kube/config, as Go's operators do.
// Invariant: a server is only answered with once it has proved to be a Kubernetes one.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import { StatusError } from '../../../api/status.ts';
import { inClusterConfig, isInCluster } from '../../../client/kubeconfig/in-cluster.ts';
import { KubeconfigError, loadKubeconfig } from '../../../client/kubeconfig/kubeconfig.ts';
import { ConnectionError } from '../../../client/transport/connection-error.ts';
import { connectionProblem } from '../../../client/transport/connection-problem.ts';
import { createHttpTransport } from '../../../client/transport/http.ts';
import type { HttpTransportOptions } from '../../../client/transport/http-options.ts';
import type { Transport } from '../../../client/transport/transport.ts';
import { OperatorFailure } from './operator-failure.ts';

/** What a program knows of where it runs. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's folder. */
  readonly home: string;
}

/** A cluster, reached. */
export interface ClusterConnection {
  readonly transport: Transport;
  /** URL of the server. */
  readonly server: string;
  /** The pod's own, or that of the kubeconfig's context. */
  readonly namespace: string;
}

interface Greeting {
  readonly userAgent: string;
  readonly clock: Clock;
  /** Ends the wait for a server that says nothing. */
  readonly signal: AbortSignal;
}

/** Connects, and asks the server what it is. Throws OperatorFailure, and the signal's reason once that aborts. */
export async function connectToCluster(
  { environment, home }: Surroundings,
  { userAgent, clock, signal }: Greeting,
): Promise<ClusterConnection> {
  const found = await configIn({ environment, home }).catch((error: unknown) => {
    throw error instanceof KubeconfigError ? new OperatorFailure(error.message) : error;
  });
  const { server } = found.transport;
  const transport = createHttpTransport({ ...found.transport, userAgent, clock });
  try {
    await greet(transport, server, signal);
  } catch (error) {
    transport.close();
    throw error;
  }
  return { transport, server, namespace: found.namespace };
}

interface Found {
  readonly namespace: string;
  readonly transport: HttpTransportOptions;
}

async function configIn({ environment, home }: Surroundings): Promise<Found> {
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) return loadKubeconfig(listed);
  if (isInCluster({ environment })) return inClusterConfig({ environment });
  const usual = join(home, '.kube', 'config');
  if (existsSync(usual)) return loadKubeconfig(usual);
  throw new OperatorFailure(
    `there is no cluster to run on: KUBECONFIG is not set, this is no pod, and there is no ${usual}; set KUBECONFIG to the path of a kubeconfig`,
  );
}

async function greet(transport: Transport, server: string, signal: AbortSignal): Promise<void> {
  let version: unknown;
  try {
    const reply = await transport.request({ method: 'GET', path: '/version', signal });
    version = (reply.object() as { gitVersion?: unknown }).gitVersion;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ConnectionError && error.failure !== 'malformed')
      throw new OperatorFailure(connectionProblem(error, server), { cause: error });
    if (error instanceof StatusError && error.reason === 'Unauthorized')
      throw new OperatorFailure(
        `${server} does not know who asks; check the user's certificate or token in the kubeconfig`,
      );
    // A server may keep its version to itself; what it answers then is still a Status.
    if (error instanceof StatusError && error.reason === 'Forbidden') return;
    throw notKubernetes(server, error);
  }
  if (typeof version !== 'string') throw notKubernetes(server);
}

function notKubernetes(server: string, cause?: unknown): OperatorFailure {
  return new OperatorFailure(
    `${server} is no Kubernetes API server: /version does not say so; check the server in the kubeconfig`,
    { cause },
  );
}
