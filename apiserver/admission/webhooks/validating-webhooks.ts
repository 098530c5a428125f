// The plugin that asks validating webhooks: all at once about the object as it is to be stored (upstream's
// ValidatingAdmissionWebhook). Invariants: every webhook that is about the request is heard before it is refused, and of
// several refusals the first in order is told; an object is written into text once for each version that is asked for.
import type { ResourceDefinition } from '../../../api/definition.ts';
import { ValidatingWebhookConfigurations } from '../../../api/kinds.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { admittedObjects } from '../admitted-object.ts';
import { questionText } from './admission-review.ts';
import type { WebhookParts } from './mutating-webhooks.ts';
import { WebhookCaller } from './webhook-caller.ts';
import { type Hook, WebhookIndex } from './webhook-index.ts';

/** The plugin. */
export function validatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  const index = new WebhookIndex(parts, ValidatingWebhookConfigurations);
  const caller = new WebhookCaller(parts, 'validating');
  return {
    name: 'ValidatingAdmissionWebhook',
    validate(request) {
      const { hooks } = index;
      return hooks.length === 0 ? undefined : askAll(caller, request, hooks);
    },
  };
}

async function askAll(
  caller: WebhookCaller,
  request: AdmissionRequest,
  hooks: readonly Hook[],
): Promise<void> {
  const matched = hooks.flatMap((hook, index) => {
    const shown = hook.matches(request);
    return shown ? [{ hook, index, shown }] : [];
  });
  const texts = new Map<ResourceDefinition, Promise<string>>();
  const textOf = async (shown: ResourceDefinition) =>
    questionText(request, shown, await admittedObjects(request, shown));
  const outcomes = await Promise.allSettled(
    matched.map(async ({ hook, index, shown }) => {
      const known = texts.get(shown) ?? textOf(shown);
      texts.set(shown, known);
      const text = await known;
      return caller.ask({ hook, request, text, place: `round_0_index_${index}` });
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
