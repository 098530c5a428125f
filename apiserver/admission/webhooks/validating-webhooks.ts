// The plugin that asks validating webhooks: all at once about the object as it is to be stored (upstream's
// ValidatingAdmissionWebhook). Invariants: every webhook that is about the request is heard before it is refused, and of
// several refusals the first in order is told; an object is written into text once for each version that is asked for.
import type { ResourceDefinition } from '../../../api/definition.ts';
import { ValidatingWebhookConfigurations } from '../../../api/kinds.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { admittedObjects, type AdmittedObjects } from '../admitted-object.ts';
import { questionText } from './admission-review.ts';
import { type Matched, meetsConditions } from './match-conditions.ts';
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
      const hooks = index.about(request);
      return hooks.length === 0 ? undefined : askAll({ caller, parts }, request, hooks);
    },
  };
}

async function askAll(
  { caller, parts }: { caller: WebhookCaller; parts: WebhookParts },
  request: AdmissionRequest,
  hooks: readonly Hook[],
): Promise<void> {
  const matched = await matching(parts, request, hooks);
  const texts = new Map<ResourceDefinition, string>();
  const textOf = ({ shown, objects }: Matched) => {
    const text = texts.get(shown) ?? questionText(request, shown, objects);
    texts.set(shown, text);
    return text;
  };
  const outcomes = await Promise.allSettled(
    matched.map((each) => {
      const place = `round_0_index_${each.hook.index}`;
      return caller.ask({ hook: each.hook, request, text: textOf(each), place });
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** Those that are to be asked, before any of them is. */
async function matching(
  parts: WebhookParts,
  request: AdmissionRequest,
  hooks: readonly Hook[],
): Promise<Matched[]> {
  const shownObjects = new Map<ResourceDefinition, AdmittedObjects>();
  const found: Matched[] = [];
  for (const hook of hooks) {
    const shown = hook.matches(request);
    if (!shown) continue;
    const objects = shownObjects.get(shown) ?? (await admittedObjects(request, shown));
    shownObjects.set(shown, objects);
    const matched = { hook, request, shown, objects };
    if (meetsConditions(matched, parts, 'validating')) found.push(matched);
  }
  return found;
}
