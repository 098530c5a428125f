// The control plane as one process: API server, controllers and scheduler over the in-process transport.
// Runs as a program of its own: `control-plane.ts DATA_DIRECTORY`.
// Invariant: it is ready only when its port answers; it ends storage last, so no write is lost on the way out.
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { Figures } from '../../base/figures.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { createApiServer, type ApiServer } from '../../apiserver/api-server.ts';
import type { ComponentCheck } from '../../apiserver/options.ts';
import { createHttpNodeDialer } from '../../apiserver/http/node-dialer.ts';
import { StorageError } from '../../apiserver/storage/storage.ts';
import { openLmdbStorage } from '../../apiserver/storage/lmdb/lmdb-storage.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { InformerFigures } from '../../client/informer/informer-figures.ts';
import { ClientFigures } from '../../client/transport/counted.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { QueueFigures } from '../../client/workqueue/queue-figures.ts';
import { builtInControllers, type BuiltInControllersOptions } from '../../controllers/all.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { ReconcileFigures } from '../../controllers/framework/reconcile-figures.ts';
import { FRONT_PROXY_CA, FRONT_PROXY_NAME, loadCa, loadPair } from './certificates.ts';
import { keptAdmissionConfig } from './admission-config.ts';
import { type ChildContext, runChild } from './child-process.ts';
import { API_HOST } from './cluster.ts';
import {
  type ClusterFacts,
  dataPaths,
  type DataPaths,
  readFacts,
  UsageError,
} from './data-directory.ts';
import { keptByControllers } from './kept-form.ts';
import { servePods } from './pod-access.ts';
import { removeHostPath } from './host-path-removal.ts';
import { runSchedulerWith } from './scheduler.ts';
import { loadTokenKey, tokenSigner } from './token-key.ts';
import { CONTROLLERS_AGENT, SCHEDULER_AGENT } from './user-agents.ts';

/** Names of the parts, as ComponentStatuses have them upstream. */
const SCHEDULER = 'scheduler';
const CONTROLLER_MANAGER = 'controller-manager';

const inProcessUser = (username: string): UserInfo => ({
  username,
  groups: ['system:authenticated'],
});

/** The identity of the built-in controllers. */
export const CONTROLLERS_USER = inProcessUser('system:kube-controller-manager');
/** The identity of the scheduler. */
export const SCHEDULER_USER = inProcessUser('system:kube-scheduler');

/** An API server on a data directory, listening. */
export interface ServedApi {
  readonly server: ApiServer;
  /** What /metrics shows: the parts of this process count here too. */
  readonly figures: Figures;
  close(): Promise<void>;
}

/** Opens storage and serves the API on its port. Throws UsageError for what the user can mend. */
export async function serveApi(
  paths: DataPaths,
  facts: ClusterFacts,
  context: ChildContext & { readonly components?: readonly ComponentCheck[] },
): Promise<ServedApi> {
  const { logger, components = [] } = context;
  const webhookIdentities = await keptAdmissionConfig(paths);
  const storage = await openLmdbStorage({
    directory: paths.store,
    clock: systemClock,
    logger,
  }).catch((error: unknown) => {
    throw error instanceof StorageError ? new UsageError(error.message) : error;
  });
  const ca = loadCa(paths.pki);
  const dialer = loadPair(paths.pki, 'apiserver-kubelet-client');
  const figures = new Figures();
  const server = await createApiServer({
    figures,
    storage,
    clock: systemClock,
    random: systemRandom,
    logger,
    serviceCidr: facts.serviceCidr,
    nodeDialer: createHttpNodeDialer({ ...dialer, ca }),
    frontProxy: {
      ...loadPair(paths.pki, FRONT_PROXY_NAME),
      name: FRONT_PROXY_NAME,
      ca: loadCa(paths.pki, FRONT_PROXY_CA),
      clientCa: ca,
    },
    accountTokens: { key: loadTokenKey(paths.pki) },
    components,
    webhookIdentities,
  });
  const tls = { ...loadPair(paths.pki, 'apiserver'), clientCa: ca };
  await server.listen({ host: API_HOST, port: facts.port, tls });
  const ending = new AbortController();
  const forPods = servePods(
    server,
    { host: facts.nodeIp, port: facts.port, tls },
    { logger, signal: ending.signal },
  ).catch((error: unknown) => logger.error('pods are not served', { err: error }));
  const close = async () => {
    ending.abort(new Error('the server is closing'));
    await forPods;
    await server.close();
    await storage.close();
  };
  return { server, figures, close };
}

/** The host of requests that go to the server without a socket. */
const IN_PROCESS = 'in-process';

/** Runs the controllers and the scheduler against a server in this process until aborted. */
export async function runInProcess(
  { server, figures }: Pick<ServedApi, 'server' | 'figures'>,
  options: BuiltInControllersOptions,
  context: ChildContext & { readonly running?: Set<string> },
): Promise<void> {
  const { logger, signal, running = new Set<string>() } = context;
  const during = async (name: string, work: Promise<void>) => {
    running.add(name);
    await work.finally(() => running.delete(name));
  };
  const calls = new ClientFigures(figures);
  const caches = new InformerFigures(figures);
  const clientOf = (user: UserInfo, userAgent: string) =>
    createClient(
      calls.counted(
        createInProcessTransport(server.handler, user, { userAgent }),
        IN_PROCESS,
        systemClock,
      ),
    );
  const doors = { clock: systemClock, random: systemRandom };
  await Promise.all([
    during(
      CONTROLLER_MANAGER,
      runControllers(
        builtInControllers(options),
        {
          ...doors,
          client: clientOf(CONTROLLERS_USER, CONTROLLERS_AGENT),
          logger: logger.child({ part: 'controllers' }),
          hooks: {
            queues: new QueueFigures(figures),
            reconciles: new ReconcileFigures(figures),
            informers: (informers) => caches.follow(CONTROLLER_MANAGER, informers),
          },
          transform: keptByControllers,
        },
        signal,
      ),
    ),
    during(
      SCHEDULER,
      runSchedulerWith(
        clientOf(SCHEDULER_USER, SCHEDULER_AGENT),
        {
          logger: logger.child({ part: 'scheduler' }),
          figures,
          follow: (informers) => caches.follow(SCHEDULER, informers),
        },
        signal,
      ),
    ),
  ]);
}

/** The body of the process. */
export async function controlPlane(dataDir: string, context: ChildContext): Promise<void> {
  const paths = dataPaths(dataDir);
  const facts = readFacts(paths);
  if (!facts) throw new UsageError(`there is no cluster in ${paths.root}`);
  const running = new Set<string>();
  const components = [SCHEDULER, CONTROLLER_MANAGER].map((name) => ({
    name,
    healthy: () => running.has(name),
  }));
  const api = await serveApi(paths, facts, { ...context, components });
  context.ready();
  try {
    const { pki } = paths;
    const options = { caCertificate: loadCa(pki), signToken: tokenSigner(pki), removeHostPath };
    await runInProcess(api, options, { ...context, running });
  } finally {
    await api.close();
  }
}

if (import.meta.main) {
  const dataDir = process.argv[2];
  if (dataDir === undefined) throw new Error('usage: control-plane.ts DATA_DIRECTORY');
  await runChild('control-plane', (context) => controlPlane(dataDir, context));
}
