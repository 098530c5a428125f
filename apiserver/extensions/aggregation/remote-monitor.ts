// Watches over one APIService of another server: is it available, and what does it say of its kinds?
// Invariants: one look at a time; a look begins as soon as something changed that it rests on, else after RECHECK_MS, or after a
// growing delay while the server does not answer; what a look came to counts only for the registration that it began with.
import type { APIService } from '../../../api/generated/types.ts';
import { Services } from '../../../api/kinds.ts';
import { backoffDelay } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import { objectKey } from '../../registry/keys.ts';
import type { ServiceEndpoints } from '../../registry/service-endpoints.ts';
import type { ObjectStore } from '../../watch/object-store.ts';
import type { RemoteApiService } from './api-service-table.ts';
import {
  type Availability,
  failedCheck,
  PASSED,
  type ServiceView,
  unreachable,
} from './availability.ts';
import {
  DOCUMENT_TIMEOUT_MS,
  DocumentReader,
  type RemoteDocuments,
  UNKNOWN_DOCUMENTS,
} from './remote-documents.ts';
import type { RemoteServers } from './remote-server.ts';

/** A server that answers is looked at this often, as upstream. */
export const RECHECK_MS = 30_000;
/** One that does not is tried again after these delays, as upstream. */
const RETRY = { initialMs: 5_000, maxMs: 30_000 };
/** How often documents are read again, as upstream. */
export const REFRESH_MS = 60_000;
/** One of the pods behind a Service may be ending: so many tries must fail, as upstream. */
const CHECK_TRIES = 5;

/** What a monitor works with. */
export interface MonitorParts {
  readonly store: ObjectStore;
  readonly endpoints: ServiceEndpoints;
  readonly servers: RemoteServers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Keeps the condition in the APIService's status. */
  readonly tell: (of: APIService, availability: Availability) => void;
  /** Called when the documents have changed. */
  readonly changed: () => void;
}

/** One APIService's. */
export class RemoteMonitor {
  readonly remote: RemoteApiService;
  readonly #parts: MonitorParts;
  readonly #reader: DocumentReader;
  readonly #ending = new AbortController();
  #documents = UNKNOWN_DOCUMENTS;
  #available = false;
  #failures = 0;
  #readAtMs = -Infinity;
  #looking = false;
  #again = false;
  #timer: { cancel(): void } | undefined;

  constructor(remote: RemoteApiService, parts: MonitorParts) {
    this.remote = remote;
    this.#parts = parts;
    this.#reader = new DocumentReader(parts.servers, remote);
  }

  /** Did the last look find it well? */
  get available(): boolean {
    return this.#available;
  }

  get documents(): RemoteDocuments {
    return this.#documents;
  }

  /** Something changed: looks now, or once more after the look that is under way. */
  wake(): void {
    this.#timer?.cancel();
    this.#failures = 0;
    this.#again = true;
    if (!this.#looking) void this.#lookAgain();
  }

  /** Ends it, and the look that is under way. */
  close(): void {
    this.#timer?.cancel();
    this.#ending.abort(new Error('the APIService is gone'));
  }

  async #lookAgain(): Promise<void> {
    this.#looking = true;
    while (this.#again && !this.#ending.signal.aborted) {
      this.#again = false;
      await this.#look();
    }
    this.#looking = false;
    if (this.#ending.signal.aborted) return;
    const failing = this.#failures > 0;
    const delay = failing ? backoffDelay(this.#failures - 1, RETRY) : RECHECK_MS;
    this.#timer = this.#parts.clock.timer(delay, () => {
      this.#again = true;
      void this.#lookAgain();
    });
  }

  async #look(): Promise<void> {
    const { tell, clock } = this.#parts;
    const { signal } = this.#ending;
    const availability = unreachable(this.remote, this.#view()) ?? (await this.#check());
    if (signal.aborted) return;
    const was = this.#available;
    this.#available = availability.status === 'True';
    this.#failures = availability.reason === 'FailedDiscoveryCheck' ? this.#failures + 1 : 0;
    if (!this.#available) {
      this.#show({ ...this.#documents, freshness: 'Stale' });
      return tell(this.remote.object, availability);
    }
    const due = this.#readAtMs + REFRESH_MS <= clock.monotonic();
    const fresh = was && !due && this.#documents.freshness === 'Current';
    // Who waits until it is available finds its kinds then.
    if (!fresh) await this.#refreshKinds();
    tell(this.remote.object, availability);
    if (!fresh) await this.#refreshSchemas();
  }

  async #refreshKinds(): Promise<void> {
    this.#readAtMs = this.#parts.clock.monotonic();
    this.#show(await this.#reader.readKinds(this.#documents, this.#reading()));
  }

  async #refreshSchemas(): Promise<void> {
    this.#show(await this.#reader.readSchemas(this.#documents, this.#reading()));
  }

  #reading() {
    const { logger } = this.#parts;
    const { signal } = this.#ending;
    const failed = (what: string, err: Error) => {
      if (signal.aborted) return;
      logger.warn('a document of another API server cannot be had', {
        apiService: this.remote.name,
        what,
        err,
      });
    };
    return { signal, failed };
  }

  #show(documents: RemoteDocuments): void {
    if (this.#ending.signal.aborted) return;
    const before = this.#documents;
    this.#documents = documents;
    const keys = Object.keys(documents) as (keyof RemoteDocuments)[];
    if (keys.some((key) => documents[key] !== before[key])) this.#parts.changed();
  }

  #view(): ServiceView {
    const { store, endpoints } = this.#parts;
    const { namespace, name } = this.remote.service;
    const service = store.get(objectKey(Services, namespace, name))?.object() as unknown;
    return {
      service: service as ServiceView['service'],
      endpoints: endpoints.of(namespace, name),
    };
  }

  /** One try, and the others at once where it fails: upstream's make all at once, each time. */
  async #check(): Promise<Availability> {
    try {
      await this.#try();
      return PASSED;
    } catch {
      const others = Array.from({ length: CHECK_TRIES - 1 }, () => this.#try());
      return Promise.any(others).then(
        () => PASSED,
        (error: AggregateError) => failedCheck((error.errors.at(-1) as Error).message),
      );
    }
  }

  async #try(): Promise<void> {
    const { group, version } = this.remote;
    const path = `/apis/${group}/${version}`;
    const url = this.#urlOf(path);
    const status = await this.#parts.servers
      .status(this.remote, {
        path,
        timeoutMs: DOCUMENT_TIMEOUT_MS,
        signal: this.#ending.signal,
      })
      .catch((error: Error) => {
        throw new Error(`failing or missing response from ${url}: Get "${url}": ${error.message}`);
      });
    if (status >= 200 && status < 300) return;
    throw new Error(`failing or missing response from ${url}: bad status from ${url}: ${status}`);
  }

  /** As upstream's messages have it, which reach the server by the Service's address. */
  #urlOf(path: string): string {
    const { name, namespace, port } = this.remote.service;
    const { clusterIP = 'None', externalName } = this.#view().service?.spec ?? {};
    const host = clusterIP === 'None' || clusterIP === '' ? `${name}.${namespace}.svc` : clusterIP;
    return `https://${externalName ?? host}:${port}${path}`;
  }
}
