// The scheme: every built-in kind's definition in each served version, found by resource or by kind.
// Invariant: no two definitions share a resource or a kind; built-in kinds never change, custom ones come and go by owner.
import {
  mutatingAdmissionPolicyDefinition,
  validatingAdmissionPolicyDefinition,
} from './admissionregistration/admission-policy.ts';
import {
  mutatingAdmissionPolicyBindingDefinition,
  validatingAdmissionPolicyBindingDefinition,
} from './admissionregistration/policy-binding.ts';
import {
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
} from './admissionregistration/webhook-configuration.ts';
import { apiServiceDefinition } from './apiregistration/api-service.ts';
import { controllerRevisionDefinition } from './apps/controller-revision.ts';
import { daemonSetDefinition } from './apps/daemon-set.ts';
import { deploymentDefinition } from './apps/deployment.ts';
import { replicaSetDefinition } from './apps/replica-set.ts';
import { statefulSetDefinition } from './apps/stateful-set.ts';
import { horizontalPodAutoscalerDefinition } from './autoscaling/horizontal-pod-autoscaler.ts';
import { horizontalPodAutoscalerV1Definition } from './autoscaling/horizontal-pod-autoscaler-v1.ts';
import { cronJobDefinition } from './batch/cron-job.ts';
import { jobDefinition } from './batch/job.ts';
import { certificateSigningRequestDefinition } from './certificates/certificate-signing-request.ts';
import { leaseDefinition } from './coordination/lease.ts';
import { bindingDefinition } from './core/binding.ts';
import { componentStatusDefinition } from './core/component-status.ts';
import { configMapDefinition } from './core/config-map.ts';
import { endpointsDefinition } from './core/endpoints.ts';
import { eventDefinition } from './core/event.ts';
import { limitRangeDefinition } from './core/limit-range.ts';
import { namespaceDefinition } from './core/namespace.ts';
import { nodeDefinition } from './core/node.ts';
import { persistentVolumeDefinition } from './core/persistent-volume.ts';
import { persistentVolumeClaimDefinition } from './core/persistent-volume-claim.ts';
import { podDefinition } from './core/pod.ts';
import { podTemplateDefinition } from './core/pod-template.ts';
import { replicationControllerDefinition } from './core/replication-controller.ts';
import { resourceQuotaDefinition } from './core/resource-quota.ts';
import { secretDefinition } from './core/secret.ts';
import { serviceAccountDefinition } from './core/service-account.ts';
import { serviceDefinition } from './core/service.ts';
import type { ResourceDefinition } from './definition.ts';
import { endpointSliceDefinition } from './discovery/endpoint-slice.ts';
import { eventV1Definition } from './events/event-v1.ts';
import { flowSchemaDefinition } from './flowcontrol/flow-schema.ts';
import { priorityLevelConfigurationDefinition } from './flowcontrol/priority-level-configuration.ts';
import type { KindRef } from './kind-ref.ts';
import type { KubeObject } from './meta/object.ts';
import { ingressDefinition } from './networking/ingress.ts';
import { ingressClassDefinition } from './networking/ingress-class.ts';
import { ipAddressDefinition } from './networking/ip-address.ts';
import { networkPolicyDefinition } from './networking/network-policy.ts';
import { serviceCidrDefinition } from './networking/service-cidr.ts';
import { runtimeClassDefinition } from './node/runtime-class.ts';
import { podDisruptionBudgetDefinition } from './policy/pod-disruption-budget.ts';
import { clusterRoleBindingDefinition } from './rbac/cluster-role-binding.ts';
import { clusterRoleDefinition } from './rbac/cluster-role.ts';
import { roleBindingDefinition } from './rbac/role-binding.ts';
import { roleDefinition } from './rbac/role.ts';
import { customResourceDefinitionDefinition } from './apiextensions/custom-resource-definition.ts';
import { deviceClassDefinition } from './resource/device-class.ts';
import { resourceClaimDefinition } from './resource/resource-claim.ts';
import { resourceClaimTemplateDefinition } from './resource/resource-claim-template.ts';
import { resourceSliceDefinition } from './resource/resource-slice.ts';
import { priorityClassDefinition } from './scheduling/priority-class.ts';
import { csiDriverDefinition } from './storage/csi-driver.ts';
import { csiNodeDefinition } from './storage/csi-node.ts';
import { csiStorageCapacityDefinition } from './storage/csi-storage-capacity.ts';
import { storageClassDefinition } from './storage/storage-class.ts';
import { volumeAttachmentDefinition } from './storage/volume-attachment.ts';
import { volumeAttributesClassDefinition } from './storage/volume-attributes-class.ts';

/** Forgets the object's type: whoever calls a definition hands it only objects of its own kind. */
function anyKind<T extends KubeObject>(definition: ResourceDefinition<T>): ResourceDefinition {
  return definition as unknown as ResourceDefinition;
}

/** All built-in kinds that are stored. */
export const builtInDefinitions: readonly ResourceDefinition[] = [
  anyKind(namespaceDefinition),
  anyKind(nodeDefinition),
  anyKind(podDefinition),
  anyKind(serviceDefinition),
  anyKind(endpointsDefinition),
  anyKind(configMapDefinition),
  anyKind(secretDefinition),
  anyKind(serviceAccountDefinition),
  anyKind(eventDefinition),
  anyKind(deploymentDefinition),
  anyKind(replicaSetDefinition),
  anyKind(statefulSetDefinition),
  anyKind(daemonSetDefinition),
  anyKind(controllerRevisionDefinition),
  anyKind(persistentVolumeDefinition),
  anyKind(persistentVolumeClaimDefinition),
  anyKind(replicationControllerDefinition),
  anyKind(podTemplateDefinition),
  anyKind(limitRangeDefinition),
  anyKind(resourceQuotaDefinition),
  anyKind(bindingDefinition),
  anyKind(componentStatusDefinition),
  anyKind(jobDefinition),
  anyKind(cronJobDefinition),
  anyKind(podDisruptionBudgetDefinition),
  anyKind(horizontalPodAutoscalerDefinition),
  anyKind(endpointSliceDefinition),
  anyKind(leaseDefinition),
  anyKind(roleDefinition),
  anyKind(roleBindingDefinition),
  anyKind(clusterRoleDefinition),
  anyKind(clusterRoleBindingDefinition),
  anyKind(priorityClassDefinition),
  anyKind(ingressDefinition),
  anyKind(ingressClassDefinition),
  anyKind(networkPolicyDefinition),
  anyKind(ipAddressDefinition),
  anyKind(serviceCidrDefinition),
  anyKind(storageClassDefinition),
  anyKind(csiDriverDefinition),
  anyKind(csiNodeDefinition),
  anyKind(csiStorageCapacityDefinition),
  anyKind(volumeAttachmentDefinition),
  anyKind(volumeAttributesClassDefinition),
  anyKind(runtimeClassDefinition),
  anyKind(certificateSigningRequestDefinition),
  anyKind(validatingWebhookConfigurationDefinition),
  anyKind(mutatingWebhookConfigurationDefinition),
  anyKind(validatingAdmissionPolicyDefinition),
  anyKind(validatingAdmissionPolicyBindingDefinition),
  anyKind(mutatingAdmissionPolicyDefinition),
  anyKind(mutatingAdmissionPolicyBindingDefinition),
  anyKind(customResourceDefinitionDefinition),
  anyKind(apiServiceDefinition),
  anyKind(resourceClaimDefinition),
  anyKind(resourceClaimTemplateDefinition),
  anyKind(deviceClassDefinition),
  anyKind(resourceSliceDefinition),
  anyKind(flowSchemaDefinition),
  anyKind(priorityLevelConfigurationDefinition),
];

/** Further versions of stored kinds. The stored one is preferred. */
export const furtherVersions: readonly ResourceDefinition[] = [
  anyKind(horizontalPodAutoscalerV1Definition),
  anyKind(eventV1Definition),
];

/** Definitions by resource and by kind; built-in ones win. */
export class Scheme {
  readonly definitions: readonly ResourceDefinition[];
  readonly #byResource = new Map<string, ResourceDefinition>();
  readonly #byKind = new Map<string, ResourceDefinition>();
  readonly #customByOwner = new Map<string, readonly ResourceDefinition[]>();
  readonly #customByResource = new Map<string, ResourceDefinition>();
  readonly #customByKind = new Map<string, ResourceDefinition>();
  #custom: readonly ResourceDefinition[] | undefined;
  #byStoredResource: ReadonlyMap<string, readonly ResourceDefinition[]> | undefined;

  /** Throws when two definitions claim the same resource or kind. */
  constructor(
    definitions: readonly ResourceDefinition[] = [...builtInDefinitions, ...furtherVersions],
  ) {
    this.definitions = definitions;
    for (const definition of definitions) {
      const { group, version, plural, kind } = definition.ref;
      addOnce(this.#byResource, [group, version, plural], definition);
      addOnce(this.#byKind, [group, version, kind], definition);
    }
  }

  /** The kinds that users defined, in the order in which they first came. */
  get custom(): readonly ResourceDefinition[] {
    this.#custom ??= [...this.#customByOwner.values()].flat();
    return this.#custom;
  }

  /** Serves these kinds for an owner, in place of those that it had; none ends its part. Names were found to be free before. */
  serveCustom(owner: string, definitions: readonly ResourceDefinition[]): void {
    for (const before of this.#customByOwner.get(owner) ?? []) {
      const [resource, kind] = keysOf(before);
      this.#customByResource.delete(resource);
      this.#customByKind.delete(kind);
    }
    for (const definition of definitions) {
      const [resource, kind] = keysOf(definition);
      this.#customByResource.set(resource, definition);
      this.#customByKind.set(kind, definition);
    }
    if (definitions.length > 0) this.#customByOwner.set(owner, definitions);
    else this.#customByOwner.delete(owner);
    this.#custom = undefined;
    this.#byStoredResource = undefined;
  }

  /** The definition that serves this resource, e.g. ('apps', 'v1', 'deployments'). */
  byResource(group: string, version: string, plural: string): ResourceDefinition | undefined {
    const key = keyOf([group, version, plural]);
    return this.#byResource.get(key) ?? this.#customByResource.get(key);
  }

  /** The definition of this kind, e.g. ('apps', 'v1', 'Deployment'). */
  byKind(group: string, version: string, kind: string): ResourceDefinition | undefined {
    const key = keyOf([group, version, kind]);
    return this.#byKind.get(key) ?? this.#customByKind.get(key);
  }

  /** Every definition, in whatever group and version, through which the objects of this resource are served. */
  servedFromStore(ref: KindRef): readonly ResourceDefinition[] {
    this.#byStoredResource ??= Map.groupBy([...this.definitions, ...this.custom], (one) =>
      storedResource(one.ref),
    );
    return this.#byStoredResource.get(storedResource(ref)) ?? [];
  }
}

type Name = readonly [group: string, version: string, name: string];

const keyOf = (name: Name): string => name.join('/');

function keysOf({ ref }: ResourceDefinition): [resource: string, kind: string] {
  const { group, version, plural, kind } = ref;
  return [keyOf([group, version, plural]), keyOf([group, version, kind])];
}

const storedResource = ({ group, storedGroup = group, plural }: KindRef): string =>
  `${storedGroup}/${plural}`;

function addOnce(
  map: Map<string, ResourceDefinition>,
  name: Name,
  definition: ResourceDefinition,
): void {
  if (map.has(keyOf(name))) throw new Error(`two definitions of ${keyOf(name)}`);
  map.set(keyOf(name), definition);
}
