// What every cluster has from its first start: namespaces, RBAC objects, the API server's own Service.
// Invariant: repeatable; what users changed is left, but for the rules of bootstrap roles, which are brought up to date.
import type { KubeObject, LooseObject } from '../../api/meta/object.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { formatTime } from '../../api/meta/time.ts';
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from '../../api/rbac/bootstrap.ts';
import { systemPriorityClasses } from '../../api/scheduling/priority-class.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import type { ServerParts } from '../exchange.ts';
import { localApiServices } from '../extensions/local-api-services.ts';
import { trackWrite, type Writer } from '../managedfields/track-write.ts';
import { prepareForCreate, structuredCopy } from './preparation.ts';

/** Who owns what every cluster has. */
const MANAGER = 'kube-apiserver';
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** Has the objects there; `extra` are the resources without a definition. */
export async function bootstrap(
  server: ServerParts,
  { apiServiceIp, extra }: { apiServiceIp: string; extra: readonly ServedResource[] },
): Promise<void> {
  const served = [...server.scheme.definitions, ...extra];
  const objects: object[] = [
    ...NAMESPACES.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...bootstrapClusterRoles,
    ...bootstrapClusterRoleBindings,
    ...systemPriorityClasses,
    apiService(apiServiceIp),
    ...localApiServices(served, formatTime(server.clock.now())),
  ];
  // All in one turn of the store: one flush.
  await Promise.all(objects.map((object) => ensure(server, object as LooseObject)));
}

async function ensure(server: ServerParts, wanted: LooseObject): Promise<void> {
  const slash = wanted.apiVersion.lastIndexOf('/');
  const group = slash < 0 ? '' : wanted.apiVersion.slice(0, slash);
  const version = wanted.apiVersion.slice(slash + 1);
  const definition = server.scheme.byKind(group, version, wanted.kind);
  if (!definition) throw new Error(`no definition of ${wanted.apiVersion} ${wanted.kind}`);
  const { name = '', namespace = '' } = wanted.metadata;
  const at = { definition, namespace, name };
  const object = structuredCopy(wanted);
  definition.defaults?.(object);
  const now = formatTime(server.clock.now());
  const { scheme } = server;
  const written = definition.hasStatus ? 'all but status' : 'everything';
  const writer: Writer = { scheme, definition, manager: MANAGER, subresource: '', written, now };
  const owners = trackWrite(writer, { before: undefined, after: object, submitted: undefined });
  prepareForCreate(definition, object, { uid: server.random.uuid(), now });
  if (owners) object.metadata.managedFields = [...owners];
  if (wanted['status'] !== undefined) object['status'] = structuredCopy(wanted['status']);
  const created = await server.registry.create(at, object, false);
  if (!created && hasRules(definition)) await bringUpToDate(server, writer, { at, wanted: object });
}

const hasRules = (definition: ResourceDefinition): boolean => definition.ref.kind === 'ClusterRole';

async function bringUpToDate(
  server: ServerParts,
  writer: Writer,
  {
    at,
    wanted,
  }: {
    at: { definition: ResourceDefinition; namespace: string; name: string };
    wanted: LooseObject;
  },
): Promise<void> {
  await server.registry.update(
    at,
    (old) => {
      if (deepEqual(old['rules'], wanted['rules'])) return { kind: 'keep' };
      const object: LooseObject = { ...old, rules: wanted['rules'] };
      const owners = trackWrite(writer, { before: old, after: object, submitted: undefined });
      object.metadata = { ...old.metadata, ...(owners && { managedFields: [...owners] }) };
      return { kind: 'put', object };
    },
    { dryRun: false },
  );
}

function apiService(clusterIP: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
    },
  } as unknown as KubeObject;
}
