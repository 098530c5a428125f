// What every cluster has from its first start: namespaces, RBAC objects, the API server's own Service.
// Invariant: repeatable; what users changed is left, but for what bootstrap roles and bindings lack, which is added.
import type { ClusterRole, ClusterRoleBinding } from '../../api/generated/types.ts';
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from '../../api/flowcontrol/bootstrap.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { formatTime } from '../../api/meta/time.ts';
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from '../../api/rbac/bootstrap.ts';
import {
  authenticationReader,
  authenticationReaderBinding,
} from '../../api/rbac/bootstrap-authentication.ts';
import { reconciledBinding, reconciledRole } from '../../api/rbac/reconcile.ts';
import { systemPriorityClasses } from '../../api/scheduling/priority-class.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import type { ServerParts } from '../exchange.ts';
import { localApiServices } from '../extensions/local-api-services.ts';
import type { StartUp, StartUpPart } from '../start-up.ts';
import { apiService } from './api-endpoints.ts';
import { type BringUpToDate, ensureObject } from './ensure-object.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** What the objects are made from. */
export interface BootstrapOptions {
  readonly apiServiceIp: string;
  /** The block that Services take their addresses from. */
  readonly serviceCidr: string;
  /** Resources without a definition. */
  readonly extra: readonly ServedResource[];
  /** Told of each part of the start that is done. */
  readonly startUp: StartUp;
}

/** What is made, by the part of the start that it belongs to. */
export const BOOTSTRAP_PARTS = [
  'poststarthook/start-system-namespaces-controller',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/bootstrap-controller',
  'poststarthook/start-kubernetes-service-cidr-controller',
  'poststarthook/priority-and-fairness-config-producer',
  'poststarthook/kube-apiserver-autoregistration',
] as const satisfies readonly StartUpPart[];
type BootstrapPart = (typeof BOOTSTRAP_PARTS)[number];

/** Has the objects there. */
export async function bootstrap(server: ServerParts, options: BootstrapOptions): Promise<void> {
  const objects = bootstrapObjects(server, options);
  // All in one turn of the store: one flush.
  await Promise.all(
    BOOTSTRAP_PARTS.map(async (part) => {
      const made = objects[part].map((object) => {
        const wanted = object as LooseObject;
        return ensureObject(server, wanted, updateOf(wanted));
      });
      await Promise.all(made);
      options.startUp.done(part);
    }),
  );
}

function bootstrapObjects(
  server: ServerParts,
  { apiServiceIp, serviceCidr, extra }: BootstrapOptions,
): Readonly<Record<BootstrapPart, readonly object[]>> {
  const now = formatTime(server.clock.now());
  const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return {
    'poststarthook/start-system-namespaces-controller': NAMESPACES.map(namespace),
    'poststarthook/rbac/bootstrap-roles': [
      ...bootstrapClusterRoles,
      ...bootstrapClusterRoleBindings,
      authenticationReader,
      authenticationReaderBinding,
    ],
    'poststarthook/scheduling/bootstrap-system-priority-classes': systemPriorityClasses,
    'poststarthook/bootstrap-controller': [apiService(apiServiceIp)],
    'poststarthook/start-kubernetes-service-cidr-controller': [serviceRange(serviceCidr, now)],
    'poststarthook/priority-and-fairness-config-producer': [
      ...bootstrapPriorityLevels,
      ...bootstrapFlowSchemas(now),
    ],
    'poststarthook/kube-apiserver-autoregistration': localApiServices(
      [...server.scheme.definitions, ...extra],
      now,
    ),
  };
}

/** How an object that is there already is brought up to date; most are their users'. */
function updateOf(wanted: LooseObject): BringUpToDate | undefined {
  switch (wanted.kind) {
    case 'ClusterRole':
      return (old) =>
        reconciledRole(old as ClusterRole, wanted as unknown as ClusterRole) as LooseObject;
    case 'ClusterRoleBinding':
      return (old) =>
        reconciledBinding(
          old as unknown as ClusterRoleBinding,
          wanted as unknown as ClusterRoleBinding,
        ) as unknown as LooseObject;
    default:
      return undefined;
  }
}

/** The block as the kind that shows it (KEP-1880). */
function serviceRange(cidr: string, now: string): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes', finalizers: ['networking.k8s.io/service-cidr-finalizer'] },
    spec: { cidrs: [cidr] },
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          lastTransitionTime: now,
          reason: '',
          message: 'Kubernetes Service CIDR is ready',
        },
      ],
    },
  };
}
