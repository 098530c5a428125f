// ValidatingWebhookConfigurations and MutatingWebhookConfigurations: who is asked about which writes.
// Pure; apiserver/admission/webhooks asks them.
import { ALL_VERBS, defineResource, type ResourceDefinition } from '../definition.ts';
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../generated/types.ts';
import type { KindRef } from '../kind-ref.ts';
import { MutatingWebhookConfigurations, ValidatingWebhookConfigurations } from '../kinds.ts';
import { ageColumn, count, nameColumn } from '../meta/columns.ts';
import type { KubeObject } from '../meta/object.ts';
import { defaultRule } from './rule-validation.ts';
import { validateWebhooks } from './webhook-validation.ts';

interface Configuration extends KubeObject {
  webhooks?: (ValidatingWebhook & Partial<MutatingWebhook>)[] | undefined;
}

function configurationOf<T extends Configuration>(
  ref: KindRef<T>,
  mutating: boolean,
): ResourceDefinition<T> {
  return defineResource<T>({
    ref,
    singular: ref.kind.toLowerCase(),
    listKind: `${ref.kind}List`,
    shortNames: [],
    categories: ['api-extensions'],
    schemaName: `io.k8s.api.admissionregistration.v1.${ref.kind}`,
    verbs: ALL_VERBS,
    hasStatus: false,
    hasGeneration: true,
    putNeedsVersion: true,
    subresources: [],
    columns: [
      nameColumn,
      count('Webhooks', 'How many webhooks it has.', ({ webhooks }) => webhooks?.length ?? 0),
      ageColumn,
    ],
    selectableFields: {},
    defaults({ webhooks = [] }) {
      for (const webhook of webhooks) {
        defaultWebhook(webhook);
        if (mutating) webhook.reinvocationPolicy ??= 'Never';
      }
    },
    validate: ({ webhooks = [] }, old) => validateWebhooks(webhooks, old?.webhooks),
  });
}

function defaultWebhook(webhook: ValidatingWebhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  const { service } = (webhook as Partial<ValidatingWebhook>).clientConfig ?? {};
  if (service) service.port ??= 443;
  webhook.rules?.forEach(defaultRule);
}

/** What ValidatingWebhookConfigurations are. */
export const validatingWebhookConfigurationDefinition: ResourceDefinition<ValidatingWebhookConfiguration> =
  configurationOf(ValidatingWebhookConfigurations, false);

/** What MutatingWebhookConfigurations are. */
export const mutatingWebhookConfigurationDefinition: ResourceDefinition<MutatingWebhookConfiguration> =
  configurationOf(MutatingWebhookConfigurations, true);
