// The plugin that asks mutating webhooks: one after the other, each seeing what those before it changed; those that want to,
// once more when somebody after them changed the object (upstream's MutatingAdmissionWebhook; KEP-1873).
// Invariant: a request that no webhook is about costs the reading of a list.
import { MutatingWebhookConfigurations } from '../../../api/kinds.ts';
import type { AdmissionPlugin, AdmissionRequest, AdmissionRound } from '../admission.ts';
import { admittedObjects } from '../admitted-object.ts';
import type { MatchingParts } from '../matching.ts';
import { questionText } from './admission-review.ts';
import { type ConditionParts, type Matched, meetsConditions } from './match-conditions.ts';
import { applyWebhookPatch } from './patched-object.ts';
import { type CallerParts, WebhookCaller } from './webhook-caller.ts';
import { type Hook, WebhookIndex } from './webhook-index.ts';

/** What webhooks are found and called with. */
export type WebhookParts = CallerParts & MatchingParts & ConditionParts;

/** What of the first pass the second one has to know. */
interface Memory {
  /** Called so far, and to be called again if somebody changes the object after them. */
  readonly waiting: Set<string>;
  /** To be called again. */
  readonly again: Set<string>;
  /** The object after the pass. */
  left: string;
}

/** The plugin. */
export function mutatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  const index = new WebhookIndex(parts, MutatingWebhookConfigurations);
  const caller = new WebhookCaller(parts, 'admit');
  const memories = new WeakMap<AdmissionRequest, Memory>();
  return {
    name: 'MutatingAdmissionWebhook',
    mutate(request, round) {
      const hooks = index.about(request);
      if (hooks.length === 0) return undefined;
      const memory = memories.get(request) ?? { waiting: new Set(), again: new Set(), left: '' };
      memories.set(request, memory);
      return new Pass({ caller, parts }, { request, round, memory }).run(hooks);
    },
  };
}

interface Passing {
  readonly request: AdmissionRequest;
  readonly round: AdmissionRound;
  readonly memory: Memory;
}

class Pass {
  readonly #caller: WebhookCaller;
  readonly #parts: ConditionParts;
  readonly #passing: Passing;

  constructor(
    { caller, parts }: { caller: WebhookCaller; parts: ConditionParts },
    passing: Passing,
  ) {
    this.#caller = caller;
    this.#parts = parts;
    this.#passing = passing;
  }

  async run(hooks: readonly Hook[]): Promise<void> {
    const { request, round, memory } = this.#passing;
    // Plugins of the house changed it between the passes.
    if (round.again && memory.left !== JSON.stringify(request.object)) this.#recall();
    for (const hook of hooks) {
      const shown = hook.matches(request);
      if (!shown || (round.again && !memory.again.has(hook.uid))) continue;
      const objects = await admittedObjects(request, shown);
      const matched = { hook, request, shown, objects };
      if (!meetsConditions(matched, this.#parts, 'admit')) continue;
      if (await this.#ask(matched)) {
        this.#recall();
        round.changed();
      }
      if (hook.reinvoked) memory.waiting.add(hook.uid);
    }
    if (!round.again && memory.waiting.size > 0) memory.left = JSON.stringify(request.object);
  }

  #recall(): void {
    const { waiting, again } = this.#passing.memory;
    for (const uid of waiting) again.add(uid);
    waiting.clear();
  }

  /** Whether the webhook changed the object. */
  async #ask({ hook, request, shown, objects }: Matched): Promise<boolean> {
    const { round } = this.#passing;
    const text = questionText(request, shown, objects);
    const place = `round_${round.again ? 1 : 0}_index_${hook.index}`;
    const answer = await this.#caller.ask({ hook, request, text, place });
    const { object } = objects;
    const mutated =
      answer?.patch !== undefined &&
      (await applyWebhookPatch(request, {
        webhook: hook.name,
        patch: answer.patch,
        shown,
        object,
      }));
    const { configuration, name } = hook;
    const note = JSON.stringify({ configuration, webhook: name, mutated });
    if (answer) request.annotate(`mutation.webhook.admission.k8s.io/${place}`, note);
    return mutated;
  }
}
