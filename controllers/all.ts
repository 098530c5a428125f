// Every controller a cluster runs.
import { clusterRoleAggregator } from './clusterroleaggregation/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { endpointSliceMirroringController } from './endpointslicemirroring/controller.ts';
import { ephemeralVolumeController } from './ephemeralvolume/controller.ts';
import type { ControllerFactory } from './framework/reconciler.ts';
import { garbageCollector } from './garbagecollector/controller.ts';
import { horizontalPodAutoscaler } from './hpa/controller.ts';
import type { AutoscalerOptions } from './hpa/options.ts';
import { ipAddressController } from './ipaddress/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeLifecycleController, taintEvictionController } from './nodelifecycle/controller.ts';
import type { NodeLifecycleOptions } from './nodelifecycle/options.ts';
import { persistentVolumeBinder, type RemoveHostPath } from './persistentvolume/controller.ts';
import { podCollector } from './podgc/controller.ts';
import { claimProtectionController } from './pvcprotection/controller.ts';
import { volumeProtectionController } from './pvprotection/controller.ts';
import { replicaSetController } from './replicaset/controller.ts';
import { resourceQuotaController } from './resourcequota/controller.ts';
import { rootCaPublisher } from './rootca/controller.ts';
import { serviceAccountController } from './serviceaccount/controller.ts';
import { serviceAccountTokenController } from './serviceaccounttoken/controller.ts';
import type { LegacyTokens } from './serviceaccounttoken/plan.ts';
import { validatingAdmissionPolicyStatus } from './validatingadmissionpolicystatus/controller.ts';

/** What the built-in controllers can be told. */
export interface BuiltInControllersOptions {
  /** PEM of the cluster's CA, published in each namespace as kube-root-ca.crt; not published where left out. */
  readonly caCertificate?: string | undefined;
  /** Signs tokens that live in Secrets; those Secrets stay empty where left out. */
  readonly signToken?: LegacyTokens['sign'] | undefined;
  readonly autoscaler?: Partial<AutoscalerOptions> | undefined;
  readonly nodes?: Partial<NodeLifecycleOptions> | undefined;
  /** Removes what is on volumes of hostPath that are to be deleted; they are Failed where it is left out. */
  readonly removeHostPath?: RemoveHostPath | undefined;
}

/** The built-in controllers, for `runControllers`. */
export const builtInControllers = (
  options: BuiltInControllersOptions = {},
): readonly ControllerFactory[] => Object.values(namedControllers(options));

/** The same by the names that they have in logs, events and figures. */
export function namedControllers(
  options: BuiltInControllersOptions = {},
): Readonly<Record<string, ControllerFactory>> {
  const { caCertificate, signToken } = options;
  return {
    'clusterrole-aggregation-controller': clusterRoleAggregator,
    'deployment-controller': deploymentController,
    'replicaset-controller': replicaSetController,
    'endpoint-slice-controller': endpointSliceController,
    'endpoint-slice-mirroring-controller': endpointSliceMirroringController,
    'disruption-controller': disruptionController,
    'horizontal-pod-autoscaler': horizontalPodAutoscaler(options.autoscaler),
    'garbage-collector': garbageCollector,
    'ip-address-controller': ipAddressController,
    'namespace-controller': namespaceController,
    'ephemeral-volume-controller': ephemeralVolumeController,
    'persistentvolume-binder-controller': persistentVolumeBinder(options.removeHostPath),
    'persistentvolumeclaim-protection-controller': claimProtectionController,
    'persistentvolume-protection-controller': volumeProtectionController,
    'node-lifecycle-controller': nodeLifecycleController(options.nodes),
    'taint-eviction-controller': taintEvictionController,
    'pod-garbage-collector': podCollector(),
    'service-account-controller': serviceAccountController,
    'resource-quota-controller': resourceQuotaController,
    'validatingadmissionpolicy-status': validatingAdmissionPolicyStatus,
    ...(caCertificate === undefined
      ? {}
      : { 'root-ca-certificate-publisher-controller': rootCaPublisher(caCertificate) }),
    ...(caCertificate === undefined || signToken === undefined
      ? {}
      : {
          'serviceaccount-token-controller': serviceAccountTokenController({
            caCertificate,
            sign: signToken,
          }),
        }),
  };
}
