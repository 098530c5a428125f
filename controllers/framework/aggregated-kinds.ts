// Kinds that API servers behind the cluster's own have, as controllers of every kind need them.
// Invariant: a kind that is told is told gone at most once; a server that is away for a while keeps its kinds.
import type { Clock } from '../../base/clock.ts';
import { backoffDelay } from '../../base/backoff.ts';
import type { Logger } from '../../base/logger.ts';
import type { APIService } from '../../api/generated/types.ts';
import { apiVersionOf, type KindRef } from '../../api/kind-ref.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { Client } from '../../client/rest/client.ts';

/** A kind of another server, and what may be done with its objects. */
export interface AggregatedKind {
  readonly ref: KindRef;
  readonly verbs: readonly string[];
}

/** What is known of other servers' kinds. */
export interface AggregatedKinds {
  readonly kinds: readonly AggregatedKind[];
  /** Groups and versions whose kinds are not known as they are now. */
  readonly stale: readonly string[];
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface GroupDiscovery {
  readonly metadata: { readonly name?: string };
  readonly versions?: readonly {
    readonly version: string;
    readonly freshness?: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly scope: string;
      readonly verbs?: readonly string[];
      readonly responseKind?: { readonly kind?: string };
    }[];
  }[];
}

/** Does another server answer for its group and version? */
export const isRemote = ({ spec }: APIService): boolean => spec?.service !== undefined;

/** The kinds of these APIServices, as the API server has them at hand. One request, and none where no other server is registered. */
export async function aggregatedKinds(
  client: Client,
  services: readonly APIService[],
  signal: AbortSignal,
): Promise<AggregatedKinds> {
  const remotes = services.filter(isRemote);
  if (remotes.length === 0) return { kinds: [], stale: [] };
  const request = { method: 'GET', path: '/apis', accept: AGGREGATED, signal } as const;
  const reply = await client.transport.request(request);
  const { items = [] } = reply.object() as { items?: readonly GroupDiscovery[] };
  const found = remotes.map(({ spec }) => versionIn(items, spec));
  return {
    kinds: found.flatMap(({ kinds }) => kinds),
    stale: found.flatMap(({ at, isCurrent }) => (isCurrent ? [] : apiVersionOf(at))).toSorted(),
  };
}

function versionIn(
  items: readonly GroupDiscovery[],
  { group = '', version = '' }: Partial<NonNullable<APIService['spec']>> = {},
) {
  const known = items.find(({ metadata }) => metadata.name === group);
  const found = known?.versions?.find((each) => each.version === version);
  const kinds = (found?.resources ?? [])
    // What has subresources alone has no kind.
    .filter(({ responseKind }) => responseKind?.kind)
    .map(({ resource, scope, verbs = [], responseKind }): AggregatedKind => {
      const namespaced = scope === 'Namespaced';
      const kind = responseKind?.kind ?? '';
      return { ref: { group, version, kind, plural: resource, namespaced }, verbs };
    });
  return { at: { group, version }, kinds, isCurrent: found?.freshness === 'Current' };
}

/** A server that is available and yet cannot say its kinds is asked this often, before its next change. */
const MAX_TRIES = 5;
const RETRY = { initialMs: 1_000, maxMs: 30_000 };

/** What following needs. */
export interface Following {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs?: readonly string[];
  }[];
}

interface Followed {
  readonly uid: string;
  /** By what identifies the kind: what is called when it has gone. */
  readonly kinds: Map<string, () => void>;
}

/**
 * Calls `onKind` for each kind of another server that is there and that comes, once its APIService is available; what it answers is
 * called when the kind has gone. Kinds that a server gains later are found at the next change of its APIService.
 */
export function followAggregatedKinds(
  following: Following,
  services: Informer<APIService>,
  onKind: (kind: AggregatedKind) => () => void,
): void {
  const followed = new Map<string, Followed>();
  const settle = (name: string, found: readonly AggregatedKind[]) => {
    const known = followed.get(name)?.kinds;
    if (!known) return;
    const now = new Map(found.map((each) => [idOf(each), each]));
    for (const [id, gone] of known)
      if (!now.has(id)) {
        known.delete(id);
        gone();
      }
    for (const [id, kind] of now) if (!known.has(id)) known.set(id, onKind(kind));
  };
  const look = async (service: APIService, attempt: number): Promise<void> => {
    const { name = '', resourceVersion } = service.metadata;
    const isOld = () => services.get(name)?.metadata.resourceVersion !== resourceVersion;
    try {
      const found = await kindsOf(following.client, service);
      if (!isOld()) settle(name, found);
    } catch (err) {
      if (isOld() || attempt >= MAX_TRIES) return;
      following.logger.debug('the kinds of another API server cannot be had', { name, err });
      const delay = backoffDelay(attempt, RETRY);
      following.clock.timer(delay, () => void look(service, attempt + 1));
    }
  };
  const forget = (name: string) => {
    settle(name, []);
    followed.delete(name);
  };
  const changed = (service: APIService) => {
    const { name = '', uid = '' } = service.metadata;
    if (!isRemote(service) || (followed.get(name)?.uid ?? uid) !== uid) forget(name);
    if (!isRemote(service)) return;
    if (!followed.has(name)) followed.set(name, { uid, kinds: new Map() });
    if (isConditionTrue(service.status?.conditions, 'Available')) void look(service, 0);
  };
  services.subscribe({
    onAdd: changed,
    onUpdate: changed,
    onDelete: ({ metadata }) => forget(metadata.name ?? ''),
  });
}

const idOf = ({ ref, verbs }: AggregatedKind): string =>
  `${ref.plural}/${ref.kind}/${ref.namespaced}/${verbs.join()}`;

async function kindsOf(client: Client, { spec }: APIService): Promise<AggregatedKind[]> {
  const { group = '', version = '' } = spec ?? {};
  const path = `/apis/${group}/${version}`;
  const reply = await client.transport.request({ method: 'GET', path });
  const { resources = [] } = reply.object() as ResourceList;
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced, verbs = [] }) => ({
      ref: { group, version, kind, plural: name, namespaced },
      verbs,
    }));
}
