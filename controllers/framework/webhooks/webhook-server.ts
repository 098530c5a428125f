// A whole webhook server as a part of an operator: certificates, listener, configurations, in this order; and their upkeep.
// Invariant: the API server is told of the webhooks only once they are served; when `done` has settled nothing of it is left running.
import { isIP } from 'node:net';
import type { CustomResourceConversion } from '../../../api/generated/types.ts';
import { StatusError } from '../../../api/status.ts';
import { backoffDelay, type BackoffOptions } from '../../../base/backoff.ts';
import type { ServerName } from '../../../base/certificates.ts';
import { type Clock, systemClock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { Random } from '../../../base/random.ts';
import { createInformerFactory } from '../../../client/informer/informer-factory.ts';
import type { Client } from '../../../client/rest/client.ts';
import { ConnectionError } from '../../../client/transport/connection-error.ts';
import { runControllers } from '../manager.ts';
import { certificatesInFiles, type FileCertificatesOptions } from './certificate-files.ts';
import { certificatesInSecret } from './certificate-secret.ts';
import type { CertificateSource, ServedCertificate } from './certificate-source.ts';
import {
  type ConfigurationObject,
  webhookConfigurations,
  type WebhookAddress,
  type WebhookService,
} from './configurations.ts';
import type { LIFETIMES } from './kept-certificates.ts';
import { applyConfigurations, type Trust, trustController } from './registration.ts';
import { checkPaths, type Webhook } from './review-desk.ts';
import { DEFAULT_PORT, serveWebhooks, type WebhookServer } from './server.ts';
import { messageOf } from './webhook-fault.ts';

/** What is served, and how it is reached. */
export interface WebhookServerOptions {
  /** Of the operator: names the configurations and the Secret (`<name>-webhook-certificates`). */
  readonly name: string;
  readonly webhooks: readonly Webhook[];
  /** The address to listen on; all unless given. */
  readonly host?: string | undefined;
  /** DEFAULT_PORT unless given; 0 picks a free one. */
  readonly port?: number | undefined;
  /** The Service by which API servers reach it. */
  readonly service?: WebhookService | undefined;
  /** `https://HOST:PORT` where they reach it without one; the `host` with the port that is listened on unless given. */
  readonly url?: string | undefined;
  /** Where the Secret is; the Service's unless given, the program's own where there is none. */
  readonly namespace?: string | undefined;
  /** Further names that the certificate is for. */
  readonly names?: readonly ServerName[] | undefined;
  /** How long certificates live: LIFETIMES unless given. */
  readonly lifetimes?: typeof LIFETIMES | undefined;
  /** What certificates are dated by; the host's clock unless given, for TLS goes by the host's time whatever else does not. */
  readonly certificateClock?: Clock | undefined;
  /** Files with certificates that somebody else makes, such as cert-manager, instead of a Secret of one's own. */
  readonly files?: Pick<FileCertificatesOptions, 'cert' | 'key' | 'ca'> | undefined;
  /** Whether configurations are applied and kept; true unless given. */
  readonly configure?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of the configurations, and of definitions that name a conversion webhook: `cert-manager.io/inject-ca-from`. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** What a webhook server is run with; that of an operator's part. */
export interface WebhookContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The program's own. */
  readonly namespace: string;
  /** Called once the webhooks are served and the API server knows them. */
  ready(): void;
}

/** A webhook server to run: a part of an operator (`runOperator({ webhooks })`), or by itself with `startPart`. */
export interface WebhookServerPart {
  readonly name: 'webhooks';
  /** Works until the signal aborts, and resolves when all has ended. Rejects where it cannot go on. Once only. */
  run(context: WebhookContext, signal: AbortSignal): Promise<void>;
  /** The port that is listened on; undefined before and after. */
  readonly port: number | undefined;
  /** What the definition of a kind is to say of conversion, where one of the webhooks converts it: for installing kinds. */
  readonly conversion: (kind: {
    readonly group: string;
    readonly kind: string;
  }) => CustomResourceConversion | undefined;
}

/** A webhook server. Throws TypeError for options that cannot be. */
export function webhookServer(options: WebhookServerOptions): WebhookServerPart {
  const { host, service, url, webhooks } = options;
  if (!service && !url && (host === undefined || !isOneHost(host)))
    throw new TypeError(
      'nothing says how API servers reach the webhooks: give a service, or a url, or a host to listen on that they can reach',
    );
  // Thrown now rather than when a program is half started.
  checkPaths(webhooks);
  webhookConfigurations(webhooks, { name: options.name, ...addressOf(options, DEFAULT_PORT) });
  let server: WebhookServer | undefined;
  return {
    name: 'webhooks',
    get port() {
      return server?.port;
    },
    async run(context, signal) {
      try {
        await run({ options, context, listening: (made) => (server = made) }, signal);
      } finally {
        server = undefined;
      }
    },
    conversion: ({ group, kind }) =>
      webhooks
        .filter(
          ({ sort, ref }) => sort === 'converting' && ref.group === group && ref.kind === kind,
        )
        .flatMap((each) => objectsFor({ ...options, webhooks: [each] }, server?.port))
        .map(({ object }) => ('spec' in object ? object.spec.conversion : undefined))[0],
  };
}

interface Running {
  readonly options: WebhookServerOptions;
  readonly context: WebhookContext;
  readonly listening: (server: WebhookServer) => void;
}

const isOneHost = (host: string): boolean => !['', '0.0.0.0', '::'].includes(host);

async function run({ options, context, listening }: Running, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const current = new CurrentCertificate();
  // A source that fails ends all the rest.
  const renewal = sourceOf(options, context)
    .run((served) => current.set(served), until)
    .finally(() => stop.abort(new Error('no certificates come any more')));
  const settled = renewal.catch(() => undefined);
  let server: WebhookServer | undefined;
  let isReady = false;
  const informers = createInformerFactory(context);
  try {
    informers.start(until);
    const { certificate } = await unlessAborted(current.first, until);
    const serving = { ...options, ...context, certificate, isReady: () => isReady };
    server = await serveWebhooks({ ...serving, tools: { client: context.client, informers } });
    listening(server);
    const { replaceCertificate } = server;
    current.follow(() => takeOver(replaceCertificate, current, context.logger));
    const objects = await register(options, context, { current, port: server.port, signal: until });
    isReady = true;
    context.ready();
    await keep(objects, context, { current, signal: until });
  } catch (error) {
    if (!until.aborted) throw error;
  } finally {
    stop.abort(new Error('the webhook server is stopped'));
    isReady = false;
    await server?.close();
    await informers.finished();
    await settled;
  }
  await renewal;
}

interface Served {
  readonly current: CurrentCertificate;
  readonly port: number;
  readonly signal: AbortSignal;
}

/** Tells the API server of the webhooks. */
async function register(
  options: WebhookServerOptions,
  { client, clock, logger }: WebhookContext,
  { current, port, signal }: Served,
): Promise<readonly ConfigurationObject[]> {
  const objects = objectsFor(options, port, current.caBundle);
  // Not the operator's own name: it may own the rest of a definition, and would lose it by applying a part.
  const fieldManager = `${options.name}-webhooks`;
  const apply = () => applyConfigurations(client, objects, { fieldManager, signal });
  await patiently(apply, { clock, logger, signal });
  return objects;
}

/** Keeps what the API server was told until the signal aborts. */
async function keep(
  objects: readonly ConfigurationObject[],
  { client, clock, random, logger }: WebhookContext,
  { current, signal }: Omit<Served, 'port'>,
): Promise<void> {
  const controllers = objects.length > 0 ? [trustController(objects, current)] : [];
  await runControllers(controllers, { client, clock, random, logger }, signal);
  await aborted(signal);
}

function objectsFor(
  options: WebhookServerOptions,
  port = options.port || DEFAULT_PORT,
  caBundle?: string,
): ConfigurationObject[] {
  const { webhooks, name, labels, annotations, configure = true } = options;
  if (!configure) return [];
  const common = { name, labels, annotations, caBundle };
  return webhookConfigurations(webhooks, { ...common, ...addressOf(options, port) });
}

function addressOf(
  { service, url, host = '' }: WebhookServerOptions,
  port: number,
): WebhookAddress {
  if (service) return { service };
  return { url: url ?? `https://${isIP(host) === 6 ? `[${host}]` : host}:${port}` };
}

function sourceOf(options: WebhookServerOptions, context: WebhookContext): CertificateSource {
  const { files, service, lifetimes, names = [], certificateClock: clock = systemClock } = options;
  const { client, random, logger } = context;
  if (files) return certificatesInFiles({ ...files, clock, logger });
  return certificatesInSecret({
    client,
    clock,
    random,
    logger,
    lifetimes,
    namespace: options.namespace ?? service?.namespace ?? context.namespace,
    name: `${options.name}-webhook-certificates`,
    names: [...namesOf(options), ...names],
  });
}

/** What API servers call it by. */
function namesOf(options: WebhookServerOptions): ServerName[] {
  const { service } = options;
  if (service) {
    const base = `${service.name}.${service.namespace}`;
    return [base, `${base}.svc`, `${base}.svc.cluster.local`].map((value) => ({
      type: 'dns',
      value,
    }));
  }
  const { url } = addressOf(options, DEFAULT_PORT);
  const value = new URL(url ?? '').hostname.replace(/^\[|\]$/g, '');
  return [{ type: isIP(value) ? 'ip' : 'dns', value }];
}

/** The certificate as it is now, and who wants to know of the next. */
class CurrentCertificate implements Trust {
  readonly first: Promise<ServedCertificate>;
  readonly #arrived = Promise.withResolvers<ServedCertificate>();
  readonly #followers: (() => void)[] = [];
  #served: ServedCertificate | undefined;

  constructor() {
    this.first = this.#arrived.promise;
  }

  get served(): ServedCertificate | undefined {
    return this.#served;
  }

  get caBundle(): string | undefined {
    return this.#served?.caBundle;
  }

  set(served: ServedCertificate): void {
    this.#served = served;
    this.#arrived.resolve(served);
    for (const changed of this.#followers) changed();
  }

  follow(changed: () => void): void {
    this.#followers.push(changed);
  }
}

function takeOver(
  replaceCertificate: WebhookServer['replaceCertificate'],
  { served }: CurrentCertificate,
  logger: Logger,
): void {
  if (!served) return;
  try {
    replaceCertificate(served.certificate);
    logger.info('the webhook server has a new certificate');
  } catch (error) {
    logger.error('a new certificate of the webhook server cannot be used', {
      why: messageOf(error),
    });
  }
}

/** Between attempts while the API server cannot be reached, or cannot yet do what it is asked. */
const RETRY: BackoffOptions = { initialMs: 100, maxMs: 10_000 };

/** Tries until it works; rejects for what no waiting mends. */
async function patiently(
  work: () => Promise<void>,
  { clock, logger, signal }: { clock: Clock; logger: Logger; signal: AbortSignal },
): Promise<void> {
  for (let attempt = 0; ; attempt++)
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !mayPass(error)) throw error;
      const retryInMs = backoffDelay(attempt, RETRY);
      const why = messageOf(error);
      logger.warn('the API server is not told of the webhooks yet', { why, retryInMs });
      await clock.sleep(retryInMs, signal);
    }
}

/** A server that is away, or busy, may be there the next time; what it refuses it goes on refusing. */
function mayPass(error: unknown): boolean {
  if (error instanceof StatusError) return error.code >= 500 || error.code === 429;
  return error instanceof ConnectionError;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    promise,
    aborted(signal).then(() => Promise.reject(signal.reason as Error)),
  ]);
}
