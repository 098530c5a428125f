// A whole control plane without nodes: API server on the memory store, the built-in controllers under their own identity.
// Invariant: each call is a cluster of its own; close() waits for the last reconcile.
import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { Logger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { Deployment, DeploymentSpec, Pod } from '../../api/generated/types.ts';
import { Deployments, Namespaces, Pods, ServiceAccounts } from '../../api/kinds.ts';
import { isAlreadyExists } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { createApiServer } from '../../apiserver/api-server.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { builtInControllers } from '../../controllers/all.ts';
import type { BuiltInControllersOptions } from '../../controllers/all.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { intercepted, type Interception } from './intercepted-transport.ts';

const user = (username: string, ...groups: string[]): UserInfo => ({
  username,
  groups: [...groups, 'system:authenticated'],
});

/** A running control plane. */
export interface ControlledCluster {
  /** An admin's way in. */
  readonly client: Client;
  /** Another identity's way in. */
  as(username: string, ...groups: string[]): Client;
  close(): Promise<void>;
}

/** How a cluster is made. */
export interface ClusterOptions extends BuiltInControllersOptions {
  readonly logger?: Logger;
  /** The controllers' clock; the host's unless given, which is always the server's. */
  readonly clock?: Clock;
  /** In the way between the controllers and the server. */
  readonly interception?: Interception;
}

/** Starts one, with the namespaces `default` and `kube-system`; pods in `default` need not wait for their ServiceAccount. */
export async function aControlledCluster(options: ClusterOptions = {}): Promise<ControlledCluster> {
  const { logger = silentLogger, clock = systemClock, interception = {} } = options;
  const doors = { clock: systemClock, random: systemRandom, logger };
  const storage = createMemoryStorage({ clock: systemClock, logger });
  const server = await createApiServer({ ...doors, storage, serviceCidr: '10.96.0.0/16' });
  const as = (username: string, ...groups: string[]) =>
    createClient(createInProcessTransport(server.handler, user(username, ...groups)));
  const client = as('admin', 'system:masters');
  for (const name of ['default', 'kube-system'])
    await client
      .resource(Namespaces)
      .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
  // A pod waits for it for a second, in which the controllers of a busy host may not have begun.
  await client.resource(ServiceAccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  const stop = new AbortController();
  const { transport } = as('system:kube-controller-manager');
  const running = runControllers(
    builtInControllers(options),
    { ...doors, clock, client: createClient(intercepted(transport, interception)) },
    stop.signal,
  );
  const close = async () => {
    stop.abort(new Error('the test is over'));
    await running;
    await server.close();
    await storage.close();
  };
  return { client, as, close };
}

/** A deployment of one small container. */
export function aDeployment(name: string, spec: Partial<DeploymentSpec> = {}): Deployment {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            { name: 'main', image: 'image:1', resources: { requests: { cpu: '100m' } } },
          ],
        },
      },
      ...spec,
    },
  };
}

/** The pods of an app that are not being deleted. */
export async function podsOf(client: Client, app: string): Promise<Pod[]> {
  const { items } = await client
    .resource(Pods)
    .list({ namespace: 'default', labelSelector: `app=${app}` });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Writes what a node agent would: running, with an address, and ready or not. */
export async function setReady(client: Client, pod: Pod, ready = true): Promise<void> {
  const now = new Date().toISOString();
  const status = {
    phase: 'Running',
    startTime: '2026-01-01T00:00:00Z',
    podIP: addressFor(pod),
    podIPs: [{ ip: addressFor(pod) }],
    conditions: [
      { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now },
      { type: 'ContainersReady', status: ready ? 'True' : 'False', lastTransitionTime: now },
    ],
  };
  const { namespace, name = '' } = pod.metadata;
  await client
    .resource(Pods)
    .patch({ namespace, name }, { type: 'merge', body: { status } }, { subresource: 'status' });
}

/** An address of its own for each pod, from its uid. */
function addressFor({ metadata }: Pod): string {
  const hash = Number.parseInt((metadata.uid ?? '0').slice(0, 4), 16);
  return `10.0.${hash >> 8}.${hash & 0xff || 1}`;
}

/** Marks every pod of the app that is not ready as ready; answers how many there are. */
export async function readyAll(client: Client, app: string): Promise<number> {
  const pods = await podsOf(client, app);
  for (const pod of pods)
    if (!pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
      await setReady(client, pod).catch(() => undefined);
  return pods.length;
}

/** The deployment as it is now. */
export function deploymentNow(client: Client, name: string): Promise<Deployment> {
  return client.resource(Deployments).get({ namespace: 'default', name });
}
