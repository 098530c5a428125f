// What the schemas do not say and field sets need, written from the API reference: which structs are there even in an
// empty object, and what the keys of list items count as where they are left out.
import { table } from '../../base/table.ts';
import { type Schema, refName, resolve } from '../schema/schema.ts';

const CORE = 'io.k8s.api.core.v1';
const APPS = 'io.k8s.api.apps.v1';

/** Optional structs that are no pointers, by the schema that has them. `metadata`, `spec` and `status` are so everywhere. */
export const EMBEDDED: Readonly<Record<string, readonly string[]>> = table({
  [`${APPS}.DaemonSetSpec`]: ['updateStrategy'],
  [`${APPS}.DeploymentSpec`]: ['strategy'],
  [`${APPS}.ReplicaSetSpec`]: ['template'],
  [`${APPS}.StatefulSetSpec`]: ['updateStrategy'],
  [`${CORE}.Event`]: ['source'],
  [`${CORE}.NodeDaemonEndpoints`]: ['kubeletEndpoint'],
  [`${CORE}.NodeStatus`]: ['daemonEndpoints', 'nodeInfo'],
  [`${CORE}.PersistentVolumeClaimSpec`]: ['resources'],
  [`${CORE}.PodTemplate`]: ['template'],
  [`${CORE}.ServiceStatus`]: ['loadBalancer'],
  'io.k8s.api.events.v1.Event': ['deprecatedSource', 'regarding'],
  'io.k8s.api.networking.v1.IngressStatus': ['loadBalancer'],
  'io.k8s.api.networking.v1.NetworkPolicySpec': ['podSelector'],
});
const EVERYWHERE = new Set(['metadata', 'spec', 'status']);

/** The fields of a struct that are in its empty value. Lists that must be given are there too, as nothing. */
export function alwaysThere(name: string, schema: Schema): readonly string[] {
  const required = new Set(schema.required ?? []);
  const embedded = EMBEDDED[name] ?? [];
  return Object.entries(schema.properties ?? {})
    .filter(([key, value]) => {
      if (value.type === 'array') return required.has(key);
      if (refName(value) === undefined || !resolve(value).properties) return false;
      return EVERYWHERE.has(key) || required.has(key) || embedded.includes(key);
    })
    .map(([key]) => key);
}

/** Key defaults by the schema of the items. */
export const KEY_DEFAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = table({
  [`${CORE}.ContainerPort`]: { protocol: 'TCP' },
  [`${CORE}.LocalObjectReference`]: { name: '' },
  [`${CORE}.ServicePort`]: { protocol: 'TCP' },
});

/** What a key of a list's items counts as where an item has none; undefined where it must be given. */
export function keyDefault(itemSchema: string, key: string): string | undefined {
  return KEY_DEFAULTS[itemSchema]?.[key];
}
