// API servers behind this one: which there are, whether they answer, and requests to them.
// Invariants: a request to a group and version that is another server's never reaches this server's own handlers; one server that
// hangs holds only its own share of requests; what discovery shows of another server is never asked for while somebody waits.
import type { APIService } from '../../../api/generated/types.ts';
import { APIServices, Services } from '../../../api/kinds.ts';
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import { findCondition, setCondition } from '../../../api/meta/conditions.ts';
import { isConflict, isNotFound } from '../../../api/status.ts';
import type { Reply, Request, UserInfo } from '../../../api/wire/exchange.ts';
import type { ServedResource } from '../../../api/schema/endpoints.ts';
import type { ServerParts } from '../../exchange.ts';
import type { FrontProxy } from '../../options.ts';
import { collectionPrefix } from '../../registry/keys.ts';
import type { RequestInfo } from '../../request-info.ts';
import { ApiServiceTable, type RemoteApiService } from './api-service-table.ts';
import { keepAuthenticationConfig } from './authentication-config.ts';
import { type Availability, LOCAL } from './availability.ts';
import { LocalRegistration } from './local-registration.ts';
import { passOn, unavailable, type Waiting } from './pass-on.ts';
import { type RemoteDocuments, UNKNOWN_DOCUMENTS } from './remote-documents.ts';
import { RemoteMonitor } from './remote-monitor.ts';
import { RemoteServers } from './remote-server.ts';

/** What the part needs besides the server's. */
export interface AggregationOptions {
  readonly server: ServerParts;
  /** Resources of this server without a definition. */
  readonly extra: readonly ServedResource[];
  /** What servers behind this one know it by; without it they are shown no certificate. */
  readonly frontProxy: FrontProxy | undefined;
  /** Called after something has changed that discovery shows. */
  readonly onChange: () => void;
  /** Called each time that the server's own groups have the APIServices that they should have. */
  readonly onRegistered: () => void;
}

/** What discovery shows of a registered group and version. */
export interface RegisteredVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** Undefined where this server answers. */
  readonly remote: RemoteDocuments | undefined;
}

interface Watched {
  readonly monitor: RemoteMonitor;
  readonly waiting: Waiting;
}

/** Follows APIServices and hands requests on. */
export class Aggregation {
  readonly #options: AggregationOptions;
  readonly #servers: RemoteServers;
  readonly #table: ApiServiceTable;
  readonly #local: LocalRegistration;
  readonly #watched = new Map<string, Watched>();
  readonly #unsubscribe: (() => void)[];
  #closed = false;
  #kindsKnown = false;

  private constructor(options: AggregationOptions) {
    this.#options = options;
    const { server, frontProxy, extra, onRegistered } = options;
    this.#servers = new RemoteServers({ ...server, identity: frontProxy });
    this.#local = new LocalRegistration(server, extra, onRegistered);
    this.#table = new ApiServiceTable(server.store);
    for (const { metadata } of this.#table.all) this.#settle(metadata.name ?? '');
    const services = collectionPrefix(Services);
    this.#unsubscribe = [
      this.#table.subscribe((name) => {
        this.#settle(name);
        // Groups of figures are another server's with the first version that it has.
        if (this.#table.named(name).remote) this.#keepLocal();
        options.onChange();
      }),
      server.store.subscribe(services, ({ key }) => this.#wake(key.slice(services.length))),
      server.endpoints.subscribe((service) => this.#wake(service)),
    ];
  }

  /** Follows APIServices, once servers behind this one can learn how to recognize it. */
  static async open(options: AggregationOptions): Promise<Aggregation> {
    const aggregation = new Aggregation(options);
    const { server, frontProxy } = options;
    if (frontProxy)
      aggregation.#unsubscribe.push(await keepAuthenticationConfig(server, frontProxy));
    return aggregation;
  }

  /** The kinds that this server answers for have changed. */
  kindsChanged(): void {
    this.#kindsKnown = true;
    this.#keepLocal();
  }

  /** Before the kinds are known those of custom resources would seem to be too much. */
  #keepLocal(): void {
    if (this.#kindsKnown) this.#local.refresh(() => this.#table.all);
  }

  /** Every registered group and version. */
  get registered(): readonly RegisteredVersion[] {
    return this.#table.all.map(({ metadata, spec }) => {
      const {
        group = '',
        version = '',
        groupPriorityMinimum = 0,
        versionPriority = 0,
      } = spec ?? {};
      const documents = this.#watched.get(metadata.name ?? '')?.monitor.documents;
      const remote = this.#table.remote(group, version) && (documents ?? UNKNOWN_DOCUMENTS);
      return { group, version, groupPriority: groupPriorityMinimum, versionPriority, remote };
    });
  }

  /** Does another server answer paths like this one? Told before anything of the request is read but its path. */
  passesOn(path: string): boolean {
    return this.#table.hasRemotes && this.#at(path) !== undefined;
  }

  /** Does another server answer it? */
  takes(info: RequestInfo): boolean {
    return this.#of(info) !== undefined;
  }

  /** Does another server have any version of the group? */
  hasGroup(group: string): boolean {
    return this.#table.hasRemoteGroup(group);
  }

  /** Hands a request on that `takes` said yes to. Throws StatusError. */
  async answer(
    request: Request,
    { user, info }: { readonly user: UserInfo; readonly info: RequestInfo },
  ): Promise<Reply> {
    const watched = this.#watched.get(this.#of(info)?.name ?? '');
    if (!watched?.monitor.available) return unavailable();
    const { remote } = watched.monitor;
    const { clock } = this.#options.server;
    const parts = { servers: this.#servers, clock, waiting: watched.waiting };
    return passOn(parts, { remote, request, user, info });
  }

  /** Stops following. */
  close(): void {
    this.#closed = true;
    this.#local.close();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#table.close();
    for (const { monitor } of this.#watched.values()) monitor.close();
    this.#servers.close();
  }

  #of(info: RequestInfo): RemoteApiService | undefined {
    // Asked of every request, and most clusters have none.
    if (!this.#table.hasRemotes) return undefined;
    if (info.kind === 'path') return this.#at(info.path);
    return this.#table.remote(info.group, info.version);
  }

  /** By `/apis/GROUP/VERSION…`, and by the path of the same name under /openapi/v3, unless that document is made here. */
  #at(path: string): RemoteApiService | undefined {
    const segments = path.split('/', MAX_SEGMENTS).filter((segment) => segment !== '');
    const isSchema = segments[0] === 'openapi' && segments[1] === 'v3';
    const [root, group = '', version = ''] = isSchema ? segments.slice(2) : segments;
    const remote = root === 'apis' ? this.#table.remote(group, version) : undefined;
    const madeHere =
      isSchema && remote && this.#watched.get(remote.name)?.monitor.documents.openApiV3;
    return madeHere ? undefined : remote;
  }

  #settle(name: string): void {
    const { object, remote } = this.#table.named(name);
    if (!object) this.#keepLocal();
    const before = this.#watched.get(name);
    if (before && remote && sameServer(before.monitor.remote, remote)) return;
    if (before) {
      before.monitor.close();
      this.#servers.forget(before.monitor.remote.service);
    }
    this.#watched.delete(name);
    if (object && !remote && !isLocal(object)) void this.#write(object, LOCAL);
    if (!remote) return;
    const { server, onChange } = this.#options;
    const monitor = new RemoteMonitor(remote, {
      ...server,
      servers: this.#servers,
      tell: (of, availability) => void this.#write(of, availability),
      changed: onChange,
    });
    this.#watched.set(name, { monitor, waiting: before?.waiting ?? { now: 0 } });
    monitor.wake();
  }

  /** Looks anew at the servers behind a Service, `NAMESPACE/NAME`. */
  #wake(service: string): void {
    for (const { monitor } of this.#watched.values()) {
      const { namespace, name } = monitor.remote.service;
      if (service !== `${namespace}/${name}`) continue;
      this.#servers.forget(monitor.remote.service);
      monitor.wake();
    }
  }

  /** Keeps the condition, unless the APIService is another one meanwhile. */
  async #write(of: APIService, availability: Availability): Promise<void> {
    const { registry, scheme, clock, logger } = this.#options.server;
    const { group, version, plural } = APIServices;
    const definition = scheme.byResource(group, version, plural);
    const { name = '', uid } = of.metadata;
    if (!definition) return;
    try {
      await registry.update(
        { definition, namespace: '', name },
        (old) => {
          const { metadata, spec, status } = old as unknown as APIService;
          if (metadata.uid !== uid || !deepEqual(spec, of.spec)) return { kind: 'keep' };
          const conditions = setCondition(status?.conditions, availability, clock.now());
          return { kind: 'put', object: { ...old, status: { ...status, conditions } } };
        },
        { dryRun: false },
      );
    } catch (error) {
      if (isNotFound(error) || isConflict(error) || this.#closed) return;
      logger.warn('the status of an APIService could not be written', { err: error, name });
    }
  }
}

/** More of a path is not needed to know whose it is. */
const MAX_SEGMENTS = 16;

function isLocal({ status }: APIService): boolean {
  return findCondition(status?.conditions, 'Available')?.reason === LOCAL.reason;
}

function sameServer(a: RemoteApiService, b: RemoteApiService): boolean {
  return a.object.metadata.uid === b.object.metadata.uid && deepEqual(a.object.spec, b.object.spec);
}
