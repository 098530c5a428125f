// Gives each model class its upstream schema name (`V1PodSpec` -> `io.k8s.api.core.v1.PodSpec`).
// The class names have lost their group; it is found again by which API file reaches the class.
// Invariant: a class whose group is not certain throws; two classes never get the same name.
import type { ModelClass, ModelPackage } from './read-models.ts';
import { modelIn, parseType } from './type-text.ts';

/** API file prefixes and class prefixes whose package differs from their lower-case name. */
const PACKAGES: Readonly<Record<string, string>> = {
  Apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  Apiregistration: 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
  FlowcontrolApiserver: 'io.k8s.api.flowcontrol',
  InternalApiserver: 'io.k8s.api.apiserverinternal',
  RbacAuthorization: 'io.k8s.api.rbac',
};

const META = 'io.k8s.apimachinery.pkg.apis.meta';

/** Classes of the shared meta package, and those that the core API uses but another group owns. */
const BY_HAND: Readonly<Record<string, readonly string[]>> = {
  [META]: [
    'APIGroup',
    'APIGroupList',
    'APIResource',
    'APIResourceList',
    'APIVersions',
    'Condition',
    'DeleteOptions',
    'FieldSelectorRequirement',
    'GroupResource',
    'GroupVersionForDiscovery',
    'LabelSelector',
    'LabelSelectorRequirement',
    'ListMeta',
    'ManagedFieldsEntry',
    'ObjectMeta',
    'OwnerReference',
    'Preconditions',
    'ServerAddressByClientCIDR',
    'ShardInfo',
    'Status',
    'StatusCause',
    'StatusDetails',
    'WatchEvent',
  ],
  'io.k8s.api.autoscaling': ['Scale', 'ScaleSpec', 'ScaleStatus'],
  'io.k8s.api.core': ['TopologySelectorLabelRequirement', 'TopologySelectorTerm'],
  'io.k8s.api.policy': ['Eviction'],
  'io.k8s.api.authentication': ['BoundObjectReference', 'TokenRequestSpec', 'TokenRequestStatus'],
};

/** The API groups whose name is not the last part of the package, or has a domain. */
const GROUPS: Readonly<Record<string, string>> = {
  core: '',
  admissionregistration: 'admissionregistration.k8s.io',
  apiextensions: 'apiextensions.k8s.io',
  apiregistration: 'apiregistration.k8s.io',
  apiserverinternal: 'internal.apiserver.k8s.io',
  authentication: 'authentication.k8s.io',
  authorization: 'authorization.k8s.io',
  certificates: 'certificates.k8s.io',
  coordination: 'coordination.k8s.io',
  discovery: 'discovery.k8s.io',
  events: 'events.k8s.io',
  flowcontrol: 'flowcontrol.apiserver.k8s.io',
  meta: '',
  networking: 'networking.k8s.io',
  node: 'node.k8s.io',
  rbac: 'rbac.authorization.k8s.io',
  resource: 'resource.k8s.io',
  scheduling: 'scheduling.k8s.io',
  storage: 'storage.k8s.io',
  storagemigration: 'storagemigration.k8s.io',
};

const CLASS = /^([A-Z][a-z]+)?(V\d+(?:alpha\d+|beta\d+)?)([A-Z]\w*)$/;

/** The upstream name of each class. */
export function schemaNames(source: ModelPackage): Map<string, string> {
  const users = usersOf(source);
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const model of source.models.values()) {
    const name = schemaName(model, users);
    if (taken.has(name)) throw new Error(`two classes are called ${name}`);
    taken.add(name);
    names.set(model.name, name);
  }
  return names;
}

/** Group, version and kind of a schema name. */
export function groupVersionKind(name: string): { group: string; version: string; kind: string } {
  const [kind = '', version = '', last = ''] = name.split('.').reverse();
  return { group: GROUPS[last] ?? last, version, kind };
}

function schemaName(model: ModelClass, users: ReadonlyMap<string, ReadonlySet<string>>): string {
  if (model.name === 'VersionInfo') return 'io.k8s.apimachinery.pkg.version.Info';
  const [, prefix, version = '', kind = ''] = CLASS.exec(model.name) ?? [];
  if (kind === '') throw new Error(`unknown form of class name: ${model.name}`);
  const owner = prefix ? packageOf(prefix) : ownerOf(model.name, { version, kind, users });
  return `${owner}.${version.toLowerCase()}.${kind}`;
}

function packageOf(prefix: string): string {
  return PACKAGES[prefix] ?? `io.k8s.api.${prefix.toLowerCase()}`;
}

function ownerOf(
  className: string,
  {
    version,
    kind,
    users,
  }: { version: string; kind: string; users: ReadonlyMap<string, ReadonlySet<string>> },
): string {
  if (version === 'V1') {
    for (const [owner, kinds] of Object.entries(BY_HAND)) if (kinds.includes(kind)) return owner;
  }
  const apis = [...(users.get(className) ?? [])].filter((api) => api.endsWith(version));
  // What the core API reaches is core's: core types never use another group's, but for BY_HAND.
  const owners = apis.includes('CoreV1') && version === 'V1' ? ['CoreV1'] : apis;
  const [api, second] = owners;
  if (api === undefined || second !== undefined) {
    throw new Error(`whose class is ${className}? candidates: ${owners.join(', ') || 'none'}`);
  }
  return packageOf(api.slice(0, -version.length));
}

/** Which API files reach each class. */
function usersOf({ models, apiUses }: ModelPackage): Map<string, Set<string>> {
  const users = new Map<string, Set<string>>();
  for (const [api, uses] of apiUses) {
    const open = [...uses];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const model = models.get(name);
      const known = users.get(name) ?? new Set();
      if (model === undefined || known.has(api)) continue;
      users.set(name, known.add(api));
      for (const { type } of model.attributes) open.push(modelIn(parseType(type)) ?? '');
    }
  }
  return users;
}
