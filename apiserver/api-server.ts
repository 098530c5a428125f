// The API server put together: storage below, the pipeline in the middle, the listener on top.
// Invariant: it answers only once its store is loaded and what every cluster has is there.
import type { Pod } from '../api/generated/types.ts';
import { Nodes, Pods } from '../api/kinds.ts';
import { Scheme } from '../api/scheme.ts';
import type { Handler, Reply, Request } from '../api/wire/exchange.ts';
import { Figures } from '../base/figures.ts';
import type { Logger } from '../base/logger.ts';
import { admissionChain } from './admission/plugins.ts';
import { type Authenticator, createAuthenticator } from './auth/authenticator.ts';
import { authorize } from './auth/authorization.ts';
import { anyOf, listedTokens, type TokenReader } from './auth/bearer-token.ts';
import { issuerDocuments } from './auth/issuer-documents.ts';
import { nodeReads } from './auth/node-reads.ts';
import { RbacAuthorizer } from './auth/rbac.ts';
import { reviewResources, reviews } from './auth/reviews.ts';
import { ServiceAccountTokens } from './auth/service-account-tokens.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { ServerParts } from './exchange.ts';
import { Aggregation } from './extensions/aggregation/aggregation.ts';
import { CustomResources } from './extensions/custom-resources.ts';
import { DefinitionNames } from './extensions/definition-names.ts';
import { LiveDiscovery } from './extensions/live-discovery.ts';
import { type Check, createHealth, type Health } from './health.ts';
import { type HttpServer, type ServerTls, startHttpServer } from './http/http-server.ts';
import { Inflight } from './inflight.ts';
import { customMetricsApi, customMetricsResources } from './metrics/custom-metrics-api.ts';
import { metricsApi, metricsResources } from './metrics/metrics-api.ts';
import { type LabelView, MetricsStore } from './metrics/metrics-store.ts';
import { type AnsweredRequest, RequestFigures } from './metrics/request-figures.ts';
import { countedAuthorize } from './metrics/access-figures.ts';
import { ListFigures } from './metrics/list-figures.ts';
import { countedStorage } from './metrics/storage-figures.ts';
import { countedAuthenticator, healthFigures, showServer } from './metrics/server-figures.ts';
import { showWatchCache } from './metrics/watch-cache-figures.ts';
import { type ApiServerOptions, BODY_LIMIT_BYTES } from './options.ts';
import { createPipeline, type VirtualHandler } from './pipeline.ts';
import { advertise, type ApiAddress } from './registry/api-endpoints.ts';
import { bootstrap, BOOTSTRAP_PARTS } from './registry/bootstrap.ts';
import { objectKey } from './registry/keys.ts';
import { Registry } from './registry/registry.ts';
import { ServiceEndpoints } from './registry/service-endpoints.ts';
import { NODE_PORTS, ServiceStrategy } from './registry/service-strategy.ts';
import type { Strategy } from './registry/strategies.ts';
import { StartUp } from './start-up.ts';
import { WebhookClient } from './webhooks/webhook-client.ts';
import { ObjectStore } from './watch/object-store.ts';

/** A running API server. */
export interface ApiServer {
  /** The whole way of a request, for callers in this process. */
  readonly handler: Handler;
  readonly store: ObjectStore;
  /** Serves HTTPS, here too; port 0 picks a free one. Throws an Error with one clear line when the port is taken. */
  listen(at: ListenOptions): Promise<{ readonly port: number }>;
  /** Leads the Service `kubernetes` to an address that pods can reach. */
  advertise(at: ApiAddress): Promise<void>;
  /** Ends watches and connections. Storage stays its owner's. */
  close(): Promise<void>;
}

/** Where to listen, and with which certificate. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
}

/** Resources without a definition: nothing of them is stored. */
const UNSTORED = [...reviewResources, ...metricsResources, ...customMetricsResources];

/** Loads the store, makes what every cluster has, and answers from then on. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, random, logger } = options;
  const figures = options.figures ?? new Figures();
  const storage = countedStorage(options.storage, figures, clock);
  const store = await ObjectStore.open(storage, { clock, logger });
  const startUp = new StartUp(
    options.frontProxy ? [] : ['poststarthook/start-cluster-authentication-info-controller'],
  );
  startUp.done('poststarthook/generic-apiserver-start-informers');
  const services = new ServiceStrategy({
    store,
    serviceCidr: options.serviceCidr,
    nodePortRange: options.nodePortRange ?? NODE_PORTS,
  });
  const rbac = new RbacAuthorizer(store);
  const tokens = new ServiceAccountTokens({ store, clock, random }, options.accountTokens);
  const readToken = anyOf([
    listedTokens(options.tokens ?? new Map(), tokens.audiences),
    tokens.read,
  ]);
  const scheme = new Scheme();
  const names = new DefinitionNames(scheme.definitions, clock);
  const endpoints = new ServiceEndpoints(store);
  const { nodeDialer } = options;
  const webhooks = new WebhookClient({ store, endpoints, clock, random, nodeDialer });
  const server: ServerParts = {
    store,
    endpoints,
    registry: new Registry(store),
    scheme,
    strategies: new Map<string, Strategy>([
      ['/services', services],
      ['apiextensions.k8s.io/customresourcedefinitions', names],
    ]),
    admission: admissionChain({ ...options, store, scheme, rbac, tokens, webhooks, figures }),
    authorize: (user, info) => authorize(rbac, user, info),
    tokens,
    lists: new ListFigures(figures),
    webhooks,
    nodeDialer,
    components: [
      ...(options.components ?? []),
      { name: 'etcd-0', healthy: async () => (await store.barrier()) >= 0n },
    ],
    clock,
    random,
    logger,
  };
  const { serviceCidr } = options;
  const apiServiceIp = services.firstAddress;
  if (options.isBootstrapped) startUp.done(...BOOTSTRAP_PARTS);
  else await bootstrap(server, { apiServiceIp, serviceCidr, extra: UNSTORED, startUp });
  return await running(options, { server, names, rbac, readToken, figures, apiServiceIp, startUp });
}

interface Prepared {
  readonly server: ServerParts;
  readonly names: DefinitionNames;
  readonly rbac: RbacAuthorizer;
  readonly readToken: TokenReader;
  readonly figures: Figures;
  readonly apiServiceIp: string;
  readonly startUp: StartUp;
}

/** The way of requests, and what follows the store. */
async function running(options: ApiServerOptions, prepared: Prepared): Promise<RunningServer> {
  const { server, names, rbac, readToken, figures, startUp } = prepared;
  const { store, clock, logger, tokens } = server;
  const closing = new AbortController();
  const slis = new Figures();
  const health = createHealth(checksOf(options, { store, startUp, closing: closing.signal }), {
    clock,
    logger,
    told: healthFigures(slis),
  });
  const { discovery, others } = await kindsOf(server, options, startUp);
  const parts = { server, rbac, health, readToken, discovery, others, figures, slis };
  const handler = pipelineOf(options, { ...parts, closing: closing.signal });
  const customs = new CustomResources({
    server,
    names,
    onChange: () => {
      discovery.refresh();
      others.kindsChanged();
    },
  });
  startUp.done(
    'poststarthook/start-apiextensions-controllers',
    'poststarthook/crd-informer-synced',
  );
  others.kindsChanged();
  const known = createAuthenticator(readToken, tokens.audiences);
  const authenticate = countedAuthenticator(figures, known);
  return new RunningServer(options, {
    ...prepared,
    handler,
    authenticate,
    customs,
    others,
    closing,
  });
}

/** What is served: by this server and by those behind it. */
async function kindsOf(server: ServerParts, { frontProxy }: ApiServerOptions, startUp: StartUp) {
  const discovery = new LiveDiscovery(server.scheme, UNSTORED, () => others.registered);
  const onChange = () => discovery.refresh();
  const onRegistered = () => startUp.done('autoregister-completion');
  const others = await Aggregation.open({
    server,
    extra: UNSTORED,
    frontProxy,
    onChange,
    onRegistered,
  });
  startUp.done('poststarthook/apiservice-registration-controller');
  if (frontProxy) startUp.done('poststarthook/start-cluster-authentication-info-controller');
  return { discovery, others };
}

interface Checked {
  readonly store: ObjectStore;
  readonly startUp: StartUp;
  readonly closing: AbortSignal;
}

/** By upstream's names. Storage answers for itself; that what it has is visible here as well is what readers need. */
function checksOf(
  { storage, logger }: ApiServerOptions,
  { store, startUp, closing }: Checked,
): readonly Check[] {
  const answers = async () => (await storage.barrier()) >= 0n;
  return [
    { name: 'ping', run: () => true },
    { name: 'log', run: () => written(logger) },
    { name: 'etcd', run: answers },
    { name: 'etcd-readiness', probes: ['readyz'], run: answers },
    {
      name: 'informer-sync',
      probes: ['readyz'],
      run: async () => (await store.barrier()) >= 0n,
    },
    ...startUp.checks,
    { name: 'shutdown', probes: ['readyz'], run: () => !closing.aborted },
  ];
}

/** Lines are written as they are told: a log that is lost throws, and one that is held up would hold this up. */
function written(logger: Logger): boolean {
  logger.debug('health was asked for');
  return true;
}

interface HandlerParts {
  readonly server: ServerParts;
  readonly rbac: RbacAuthorizer;
  readonly health: Health;
  readonly readToken: TokenReader;
  readonly discovery: Discovery;
  readonly others: Aggregation;
  readonly figures: Figures;
  /** Of health checks alone. */
  readonly slis: Figures;
  readonly closing: AbortSignal;
}

function pipelineOf(
  options: ApiServerOptions,
  { server, rbac, health, readToken, discovery, others, figures, slis, closing }: HandlerParts,
): Handler {
  const { store, clock, tokens } = server;
  const documents = issuerDocuments(tokens);
  const metrics = new MetricsStore(clock, labelsIn(store));
  closing.addEventListener('abort', () => metrics.close(), { once: true });
  const inflight = new Inflight(options);
  const { scheme } = server;
  showServer(figures, { store, scheme, inflight, clock });
  showWatchCache(figures, store);
  const requests = new RequestFigures(figures, ({ group, version, resource }) => {
    const isUnstored = UNSTORED.some(
      ({ ref }) => ref.group === group && ref.version === version && ref.plural === resource,
    );
    return scheme.byResource(group, version, resource) ?? (isUnstored ? {} : undefined);
  });
  const audit = auditOf(options);
  const nodesRead = nodeReads(store);
  return createPipeline({
    server,
    rbac,
    authorize: countedAuthorize(figures, clock, (user, info) => {
      authorize(rbac, user, info);
      nodesRead(user, info);
    }),
    discovery,
    others,
    virtual: [
      reviews({ rbac, readToken, audiences: tokens.audiences }),
      ...[metricsApi(metrics, clock), customMetricsApi(metrics)].map(
        (own): VirtualHandler =>
          (request, user, info) =>
            others.hasGroup(info.group) ? undefined : own(request, user, info),
      ),
    ],
    paths: (request) => documents(request) ?? health(request) ?? shown({ figures, slis }, request),
    inflight,
    answered: (answer) => {
      audit?.(answer);
      return requests.answered(answer);
    },
  });
}

/** /metrics, and /metrics/slis. */
function shown(
  all: Pick<HandlerParts, 'figures' | 'slis'>,
  { path }: Request,
): Promise<Reply> | undefined {
  if (path !== '/metrics' && path !== '/metrics/slis') return undefined;
  const figures = path === '/metrics' ? all.figures : all.slis;
  const headers = { 'content-type': figures.contentType };
  return figures
    .text()
    .then((text) => ({ kind: 'body', status: 200, headers, body: [Buffer.from(text)] }));
}

function auditOf({ audit }: ApiServerOptions): ((answer: AnsweredRequest) => void) | undefined {
  if (!audit) return undefined;
  return ({ request, info, user, reply, ms, annotations }) =>
    audit({
      user: user.username,
      verb: info?.verb ?? request.method.toLowerCase(),
      path: request.path,
      code: reply.kind === 'upgrade' ? 101 : reply.status,
      ms,
      annotations: Object.fromEntries(annotations),
    });
}

function labelsIn(store: ObjectStore): LabelView {
  return {
    podLabels: ({ namespace, name, node }) => {
      const pod = store.get(objectKey(Pods, namespace, name))?.object() as unknown as
        | Pod
        | undefined;
      return pod?.spec?.nodeName === node ? (pod.metadata.labels ?? {}) : undefined;
    },
    nodeLabels: (name) => {
      const node = store.get(objectKey(Nodes, '', name));
      return node && (node.object().metadata.labels ?? {});
    },
  };
}

class RunningServer implements ApiServer {
  readonly handler: Handler;
  readonly store: ObjectStore;
  readonly #options: ApiServerOptions;
  readonly #server: ServerParts;
  readonly #apiServiceIp: string;
  readonly #customs: CustomResources;
  readonly #others: Aggregation;
  readonly #authenticate: Authenticator;
  readonly #closing: AbortController;
  readonly #listeners: HttpServer[] = [];

  constructor(
    options: ApiServerOptions,
    parts: {
      handler: Handler;
      server: ServerParts;
      apiServiceIp: string;
      authenticate: Authenticator;
      customs: CustomResources;
      others: Aggregation;
      closing: AbortController;
    },
  ) {
    this.#options = options;
    this.handler = parts.handler;
    this.store = parts.server.store;
    this.#server = parts.server;
    this.#apiServiceIp = parts.apiServiceIp;
    this.#customs = parts.customs;
    this.#others = parts.others;
    this.#authenticate = parts.authenticate;
    this.#closing = parts.closing;
  }

  async listen(at: ListenOptions): Promise<{ readonly port: number }> {
    const listener = await startHttpServer({
      ...at,
      handler: this.handler,
      authenticate: this.#authenticate,
      passesOn: (path) => this.#others.passesOn(path),
      bodyLimitBytes: this.#options.bodyLimitBytes ?? BODY_LIMIT_BYTES,
      maxConnections: this.#options.maxConnections,
      clock: this.#options.clock,
      logger: this.#options.logger,
    });
    this.#listeners.push(listener);
    return { port: listener.port };
  }

  advertise(at: ApiAddress): Promise<void> {
    return advertise(this.#server, this.#apiServiceIp, at);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the server is closing'));
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    this.#customs.close();
    this.#others.close();
    this.#server.webhooks.close();
    await this.store.close();
  }
}
