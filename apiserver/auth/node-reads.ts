// Nodes read the claims and persistent volumes that their own pods use, by name, and no others (upstream's node authorizer).
// Invariant: who has broken into a node learns nothing of storage that no pod of it has. Costs a look at the pods of one namespace.
import type { PersistentVolume, Pod } from '../../api/generated/types.ts';
import { PersistentVolumeClaims, PersistentVolumes, Pods } from '../../api/kinds.ts';
import { forbidden } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { collectionPrefix, objectKey } from '../registry/keys.ts';
import type { RequestInfo, ResourceInfo } from '../request-info.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import { refusal } from './authorization.ts';

const NODES = 'system:nodes';
const NODE = 'system:node:';

/** Throws Forbidden where a node asks for a claim or a volume that none of its pods names; to be asked after RBAC. */
export function nodeReads(
  store: Pick<ObjectStore, 'get' | 'list'>,
): (user: UserInfo, info: RequestInfo) => void {
  return (user, info) => {
    if (info.kind === 'path' || info.group !== '' || !user.groups.includes(NODES)) return;
    const isVolume = info.resource === PersistentVolumes.plural;
    if (!isVolume && info.resource !== PersistentVolumeClaims.plural) return;
    const node = user.username.slice(NODE.length);
    const claim = isVolume ? claimOfVolume(store, info) : claimAsked(info);
    if (claim && user.username.startsWith(NODE) && isUsed(store, node, claim)) return;
    const why = `${refusal(user, info)}: no relationship found between node '${node}' and this object`;
    throw forbidden({ group: '', plural: info.resource }, info.name ?? '', why);
  };
}

interface ClaimName {
  readonly namespace: string;
  readonly name: string;
}

/** The one name that the request is about, whether it gets, lists or watches it. */
const nameAsked = ({ name, selectedName }: ResourceInfo): string | undefined =>
  name ?? selectedName;

function claimAsked(info: ResourceInfo): ClaimName | undefined {
  const name = nameAsked(info);
  return name && info.namespace ? { namespace: info.namespace, name } : undefined;
}

/** The claim that a volume is bound to. */
function claimOfVolume(store: Pick<ObjectStore, 'get'>, info: ResourceInfo): ClaimName | undefined {
  const key = objectKey(PersistentVolumes, '', nameAsked(info) ?? '');
  const volume = store.get(key)?.object() as PersistentVolume | undefined;
  const { namespace, name } = volume?.spec?.claimRef ?? {};
  return namespace && name ? { namespace, name } : undefined;
}

function isUsed(store: Pick<ObjectStore, 'list'>, node: string, claim: ClaimName): boolean {
  const { items } = store.list(collectionPrefix(Pods, claim.namespace));
  return items.some((item) => {
    const { metadata, spec } = item.object() as unknown as Pod;
    const volumes = spec?.nodeName === node ? (spec.volumes ?? []) : [];
    return volumes.some(({ name, persistentVolumeClaim, ephemeral }) =>
      ephemeral
        ? `${metadata.name}-${name}` === claim.name
        : persistentVolumeClaim?.claimName === claim.name,
    );
  });
}
