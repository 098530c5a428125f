// The plugins of the admission chain in their order, which is upstream's.
// Invariant: what users wrote is asked after the server's own plugins that change, and before quotas are charged.
import type { Scheme } from '../../api/scheme.ts';
import type { Clock } from '../../base/clock.ts';
import type { Figures } from '../../base/figures.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { RbacAuthorizer } from '../auth/rbac.ts';
import type { ServiceAccountTokens } from '../auth/service-account-tokens.ts';
import { AdmissionFigures } from '../metrics/admission-figures.ts';
import { PolicyFigures } from '../metrics/policy-figures.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { WebhookClient } from '../webhooks/webhook-client.ts';
import type { IdentitiesBySort } from '../webhooks/webhook-identity.ts';
import { AdmissionChain } from './admission.ts';
import { certificates } from './certificates.ts';
import { claimResize } from './claim-resize.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerations } from './default-tolerations.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { mutatingPolicies } from './policies/mutating-policies.ts';
import { validatingPolicies } from './policies/validating-policies.ts';
import { priority } from './priority.ts';
import { rbacEscalation } from './rbac-escalation.ts';
import { resourceQuota } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';
import { storageInUse } from './storage-in-use.ts';
import { mutatingWebhooks } from './webhooks/mutating-webhooks.ts';
import { validatingWebhooks } from './webhooks/validating-webhooks.ts';

/** What plugins need of the server. */
export interface AdmissionParts {
  readonly store: ObjectStore;
  readonly scheme: Scheme;
  readonly rbac: RbacAuthorizer;
  readonly tokens: ServiceAccountTokens;
  readonly webhooks: WebhookClient;
  readonly webhookIdentities?: IdentitiesBySort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly figures: Figures;
}

/** The chain of a server. */
export function admissionChain(parts: AdmissionParts): AdmissionChain {
  const { store, scheme, rbac, tokens, webhooks: client, clock, random, logger } = parts;
  const figures = new AdmissionFigures(parts.figures);
  const decide = rbac.allows.bind(rbac);
  const asking = { store, scheme, client, decide, clock, random, logger, figures };
  const policies = {
    ...asking,
    figures: new PolicyFigures(parts.figures),
    conditionFigures: figures,
  };
  return new AdmissionChain(
    [
      namespaceLifecycle(store),
      limitRanger(store),
      serviceAccount(store, { clock, random }),
      nodeRestriction(store, tokens.audiences),
      priority(store),
      defaultTolerations,
      defaultStorageClass(store),
      storageInUse,
      defaultIngressClass(store),
      rbacEscalation(rbac, store),
      claimResize(store),
      certificates(rbac, clock),
      mutatingPolicies(policies),
      mutatingWebhooks({ ...asking, identities: parts.webhookIdentities?.mutating }),
      validatingPolicies(policies),
      validatingWebhooks({ ...asking, identities: parts.webhookIdentities?.validating }),
      resourceQuota(store),
    ],
    { clock, timing: figures },
  );
}
