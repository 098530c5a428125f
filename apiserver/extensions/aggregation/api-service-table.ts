// The APIServices in the store, by group and version: who answers for what.
// Invariants: follows the store's events in order, in the turn in which they become visible; a lookup is one step; the group
// that APIServices are of, and the core group, stay this server's own, so that a wrong one can always be taken back.
import type { APIService } from '../../../api/generated/types.ts';
import { APIServices } from '../../../api/kinds.ts';
import { collectionPrefix } from '../../registry/keys.ts';
import type { ObjectStore } from '../../watch/object-store.ts';

/** An APIService whose group and version another server answers for. */
export interface RemoteApiService {
  readonly object: APIService;
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly service: {
    readonly namespace: string;
    readonly name: string;
    readonly port: number;
  };
}

/** Told the name of an APIService that has changed. */
export type TableListener = (name: string) => void;

/** What an APIService that names no port means. */
const DEFAULT_PORT = 443;
/** Groups that no other server may answer for. */
const OWN_GROUPS: ReadonlySet<string> = new Set(['', 'apiregistration.k8s.io']);

/** Follows APIServices. */
export class ApiServiceTable {
  readonly #all = new Map<string, APIService>();
  readonly #remotes = new Map<string, RemoteApiService>();
  readonly #listeners = new Set<TableListener>();
  readonly #unsubscribe: () => void;

  constructor(store: ObjectStore) {
    const prefix = collectionPrefix(APIServices);
    for (const item of store.list(prefix).items) this.#put(item.object() as unknown as APIService);
    this.#unsubscribe = store.subscribe(prefix, (event) => {
      if (event.type === 'put') this.#put(event.value.object() as unknown as APIService);
      else this.#remove(event.key.slice(prefix.length));
    });
  }

  /** Every APIService. */
  get all(): readonly APIService[] {
    return [...this.#all.values()];
  }

  /** Is any other server registered? */
  get hasRemotes(): boolean {
    return this.#remotes.size > 0;
  }

  /** Does another server have any version of the group? */
  hasRemoteGroup(group: string): boolean {
    for (const remote of this.#remotes.values()) if (remote.group === group) return true;
    return false;
  }

  /** An APIService by its name, if it is there, and what it is where another server answers. */
  named(name: string): { readonly object?: APIService; readonly remote?: RemoteApiService } {
    const [object, remote] = [this.#all.get(name), this.#remotes.get(name)];
    return { ...(object && { object }), ...(remote && { remote }) };
  }

  /** The one of that group and version, if another server answers for it. */
  remote(group: string, version: string): RemoteApiService | undefined {
    return this.#remotes.get(`${version}.${group}`);
  }

  /** Calls `listener` at each change, status included; the answer ends it. */
  subscribe(listener: TableListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops following. */
  close(): void {
    this.#unsubscribe();
  }

  #put(object: APIService): void {
    const { name = '' } = object.metadata;
    const remote = remoteOf(object);
    this.#all.set(name, object);
    if (remote) this.#remotes.set(name, remote);
    else this.#remotes.delete(name);
    this.#tell(name);
  }

  #remove(name: string): void {
    this.#all.delete(name);
    this.#remotes.delete(name);
    this.#tell(name);
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}

function remoteOf(object: APIService): RemoteApiService | undefined {
  const { group = '', version = '', service } = object.spec ?? {};
  if (!service || OWN_GROUPS.has(group)) return undefined;
  const { namespace = '', name = '', port = DEFAULT_PORT } = service;
  return {
    object,
    name: object.metadata.name ?? '',
    group,
    version,
    service: { namespace, name, port },
  };
}
