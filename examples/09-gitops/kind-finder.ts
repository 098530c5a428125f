// Which resource an apiVersion and kind mean on this server. Remembered, and asked for again where it is not known.
// Invariant: "there is none" is only said when the server has just said so.
import {
  type Client,
  type DiscoveredResource,
  isNotFound,
  type KindRef,
  resourcesOfVersion,
} from 'pinnace/client';

/** What a manifest says of its kind. */
export interface KindName {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Finds kinds, for one program. */
export class KindFinder {
  readonly #client: Client;
  readonly #known = new Map<string, readonly DiscoveredResource[]>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** The resource; undefined where the server has none. Throws where it cannot be asked. */
  async find({ apiVersion, kind }: KindName, signal: AbortSignal): Promise<KindRef | undefined> {
    const known = this.known({ apiVersion, kind });
    if (known) return known;
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const at = { group, version: apiVersion.slice(slash + 1), preferred: true };
    const found = await resourcesOfVersion(this.#client.transport, at, signal).catch(
      (error: unknown) => {
        if (isNotFound(error)) return [];
        throw error;
      },
    );
    this.#known.set(apiVersion, found);
    return refOf(found, kind);
  }

  /** As it was found last, without asking. */
  known({ apiVersion, kind }: KindName): KindRef | undefined {
    return refOf(this.#known.get(apiVersion), kind);
  }

  /** For kinds that may go, and come again as others. */
  forget({ apiVersion }: KindName): void {
    this.#known.delete(apiVersion);
  }
}

const refOf = (resources: readonly DiscoveredResource[] = [], kind: string): KindRef | undefined =>
  resources.find(({ ref }) => ref.kind === kind)?.ref;
