// What an API server is made from, and its named limits.
import type { Clock } from '../base/clock.ts';
import type { Figures } from '../base/figures.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { UserInfo } from '../api/wire/exchange.ts';
import type { TokenOptions } from './auth/service-account-tokens.ts';
import type { FrontProxyIdentity } from './extensions/aggregation/remote-connections.ts';
import type { NodeDialer } from './handlers/node-dialer.ts';
import type { InflightOptions } from './inflight.ts';
import type { Storage } from './storage/storage.ts';
import type { IdentitiesBySort } from './webhooks/webhook-identity.ts';

/** What an API server needs. */
export interface ApiServerOptions extends InflightOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Range that Services get their addresses from. */
  readonly serviceCidr: string;
  /** Inclusive; 30000 to 32767 unless given, as upstream. */
  readonly nodePortRange?: readonly [number, number];
  /** The way to node agents for logs and exec; without it those requests answer ServiceUnavailable. */
  readonly nodeDialer?: NodeDialer;
  /** What servers behind this one know it by, and its own clients' authority; without it they are shown no certificate. */
  readonly frontProxy?: FrontProxy;
  /** As whom admission webhooks are called; as nobody unless given. */
  readonly webhookIdentities?: IdentitiesBySort;
  /** Bearer tokens by their text. */
  readonly tokens?: ReadonlyMap<string, UserInfo>;
  /** How tokens of ServiceAccounts are made. */
  readonly accountTokens?: TokenOptions;
  /** Parts of the control plane that run beside this server, for ComponentStatuses. */
  readonly components?: readonly ComponentCheck[];
  /** Told of each request once it is answered. Must not throw. */
  readonly audit?: (record: AuditRecord) => void;
  /** Where it counts, and what /metrics shows; those of its own unless given. */
  readonly figures?: Figures;
  /** Largest request body; 3 MiB unless given, as upstream. */
  readonly bodyLimitBytes?: number;
  /** The storage holds what this very server made at its start, so it is not looked through again: for copies of a store. */
  readonly isBootstrapped?: boolean;
  /** Connections at once to each listener; those beyond are closed unread. 30,000 unless given. */
  readonly maxConnections?: number | undefined;
}

/** How servers behind this one tell that a request comes from it; PEM. */
export interface FrontProxy extends FrontProxyIdentity {
  /** The common name that it is known by. */
  readonly name: string;
  /** Who signed the certificate. */
  readonly ca: string;
  /** Who signs the certificates of this server's own clients. */
  readonly clientCa: string;
}

/** A part of the control plane, by upstream's name; one that answers false or throws is not well. */
export interface ComponentCheck {
  readonly name: string;
  healthy(): boolean | Promise<boolean>;
}

/** One answered request. */
export interface AuditRecord {
  readonly user: string;
  readonly verb: string;
  readonly path: string;
  readonly code: number;
  readonly ms: number;
  /** What admission and its webhooks noted, by `domain/name`. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Default of bodyLimitBytes. */
export const BODY_LIMIT_BYTES = 3 * 1024 * 1024;
/** How often a read-modify-write is tried against a moving object before Conflict. */
export const MAX_UPDATE_ATTEMPTS = 8;
/** How many names `generateName` tries. */
export const MAX_NAME_ATTEMPTS = 8;
/** Watches end by themselves after this long unless they say otherwise; spread so that they do not all come back at once. */
export const WATCH_TIMEOUT_MS = 30 * 60_000;
/** How many items a list filters in one turn of the event loop. */
export const FILTER_BATCH = 500;
