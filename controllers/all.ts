// Every controller a cluster runs.
import { clusterRoleAggregator } from './clusterroleaggregation/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { endpointSliceController } from './endpointslice/controller.ts';
import { endpointSliceMirroringController } from './endpointslicemirroring/controller.ts';
import type { ControllerFactory } from './framework/reconciler.ts';
import { garbageCollector } from './garbagecollector/controller.ts';
import { horizontalPodAutoscaler } from './hpa/controller.ts';
import type { AutoscalerOptions } from './hpa/options.ts';
import { ipAddressController } from './ipaddress/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeLifecycleController, taintEvictionController } from './nodelifecycle/controller.ts';
import type { NodeLifecycleOptions } from './nodelifecycle/options.ts';
import { podCollector } from './podgc/controller.ts';
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
}

/** The built-in controllers, for `runControllers`. */
export function builtInControllers(
  options: BuiltInControllersOptions = {},
): readonly ControllerFactory[] {
  const { caCertificate, signToken } = options;
  return [
    clusterRoleAggregator,
    deploymentController,
    replicaSetController,
    endpointSliceController,
    endpointSliceMirroringController,
    disruptionController,
    horizontalPodAutoscaler(options.autoscaler),
    garbageCollector,
    ipAddressController,
    namespaceController,
    nodeLifecycleController(options.nodes),
    taintEvictionController,
    podCollector(),
    serviceAccountController,
    resourceQuotaController,
    validatingAdmissionPolicyStatus,
    ...(caCertificate === undefined ? [] : [rootCaPublisher(caCertificate)]),
    ...(caCertificate === undefined || signToken === undefined
      ? []
      : [serviceAccountTokenController({ caCertificate, sign: signToken })]),
  ];
}
