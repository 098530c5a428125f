// Every plugin of admission, in upstream's order: those of the house, then who is asked outside, then the quota, which is
// charged only for what nobody refuses.
import type { Clock } from '../../base/clock.ts';
import type { RbacAuthorizer } from '../auth/rbac.ts';
import type { AdmissionPlugin } from './admission.ts';
import { certificates } from './certificates.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerations } from './default-tolerations.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { priority } from './priority.ts';
import { rbacEscalation } from './rbac-escalation.ts';
import { resourceQuota } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';
import { mutatingWebhooks, type WebhookParts } from './webhooks/mutating-webhooks.ts';
import { validatingWebhooks } from './webhooks/validating-webhooks.ts';

/** What plugins are made from. */
export interface PluginParts extends WebhookParts {
  readonly rbac: RbacAuthorizer;
  /** Audiences of tokens for which nobody named any. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
}

/** The plugins of a server. */
export function admissionPlugins(parts: PluginParts): readonly AdmissionPlugin[] {
  const { store, rbac, audiences, clock, random } = parts;
  return [
    namespaceLifecycle(store),
    limitRanger(store),
    serviceAccount(store, { clock, random }),
    nodeRestriction(store, audiences),
    priority(store),
    defaultTolerations,
    defaultStorageClass(store),
    defaultIngressClass(store),
    rbacEscalation(rbac, store),
    certificates(rbac, clock),
    mutatingWebhooks(parts),
    validatingWebhooks(parts),
    resourceQuota(store),
  ];
}
