// What a handler is given: the request, who makes it, what it is about, and the server's parts.
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { ResourceDefinition } from '../api/definition.ts';
import type { Scheme } from '../api/scheme.ts';
import type { Request, UserInfo } from '../api/wire/exchange.ts';
import type { Admission } from './admission/admission.ts';
import type { ServiceAccountTokens } from './auth/service-account-tokens.ts';
import type { NodeDialer } from './handlers/node-dialer.ts';
import type { ComponentCheck } from './options.ts';
import type { ListFigures } from './metrics/list-figures.ts';
import type { Registry } from './registry/registry.ts';
import type { ServiceEndpoints } from './registry/service-endpoints.ts';
import type { Strategies } from './registry/strategies.ts';
import type { ResourceInfo } from './request-info.ts';
import type { ObjectStore } from './watch/object-store.ts';
import type { WebhookClient } from './webhooks/webhook-client.ts';

/** The parts of a server that handlers use. */
export interface ServerParts {
  readonly store: ObjectStore;
  /** What is behind Services. */
  readonly endpoints: ServiceEndpoints;
  readonly registry: Registry;
  readonly scheme: Scheme;
  readonly strategies: Strategies;
  readonly admission: Admission;
  /** Told of each list. */
  readonly lists: ListFigures;
  /** Throws Forbidden unless the user may do it: for requests that turn out to be another one besides. */
  readonly authorize: (user: UserInfo, info: ResourceInfo) => void;
  readonly tokens: ServiceAccountTokens;
  /** Asks webhooks. */
  readonly webhooks: WebhookClient;
  readonly nodeDialer: NodeDialer | undefined;
  /** What ComponentStatuses are made from. */
  readonly components: readonly ComponentCheck[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** One request about a stored resource on its way through a handler. */
export interface Exchange {
  readonly request: Request;
  readonly user: UserInfo;
  readonly info: ResourceInfo;
  readonly definition: ResourceDefinition;
  readonly server: ServerParts;
  /** Handlers add texts for `Warning` headers. */
  readonly warnings: string[];
  /** What admission notes for the audit, by `domain/name`. */
  readonly annotations: Map<string, string>;
}
