// The webhooks that are configured, in the order in which they are asked: by the name of their configuration, then as listed.
// Invariant: kept by the store's events; a request reads a list that is there.
import {
  conditionExpressions,
  type NamedExpression,
} from '../../../api/admissionregistration/policy-expressions.ts';
import type {
  AdmissionregistrationWebhookClientConfig as WebhookClientConfig,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
} from '../../../api/generated/types.ts';
import type { KindRef } from '../../../api/kind-ref.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { collectionPrefix } from '../../registry/keys.ts';
import { type MatchingParts, type RequestMatcher, requestMatcher } from '../matching.ts';

/** Versions of AdmissionReview that this server can send. */
export type ReviewVersion = 'v1' | 'v1beta1';

/** A webhook made ready. */
export interface Hook {
  /** Name of its configuration. */
  readonly configuration: string;
  readonly name: string;
  /** Tells it from every other one, namesakes in other configurations included. */
  readonly uid: string;
  readonly matches: RequestMatcher;
  /** Expressions that must hold as well. */
  readonly conditions: readonly NamedExpression[];
  readonly client: WebhookClientConfig;
  readonly failsOpen: boolean;
  readonly timeoutMs: number;
  readonly reviewVersion: ReviewVersion;
  /** It may be asked once more when somebody after it changed the object. */
  readonly reinvoked: boolean;
  /** It changes nothing elsewhere when the request is a dry run. */
  readonly bearsDryRun: boolean;
}

type Webhook = ValidatingWebhook & Partial<MutatingWebhook>;

const DEFAULT_SECONDS = 10;
const KNOWN_VERSIONS: readonly ReviewVersion[] = ['v1', 'v1beta1'];

/** The webhooks of one kind of configuration. */
export class WebhookIndex {
  readonly #parts: MatchingParts;
  readonly #byKey = new Map<string, readonly Hook[]>();
  #hooks: readonly Hook[] = [];

  constructor(parts: MatchingParts, ref: KindRef) {
    this.#parts = parts;
    const prefix = collectionPrefix(ref);
    const { store } = parts;
    for (const item of store.list(prefix).items) this.#put(item.key, item.object());
    this.#order();
    store.subscribe(prefix, (event) => {
      if (event.type === 'put') this.#put(event.key, event.value.object());
      else this.#byKey.delete(event.key);
      this.#order();
    });
  }

  /** All of them, in order. */
  get hooks(): readonly Hook[] {
    return this.#hooks;
  }

  #put(key: string, object: LooseObject): void {
    const { metadata, webhooks = [] } = object as unknown as MutatingWebhookConfiguration;
    const configuration = metadata.name ?? '';
    const hooks = webhooks.map((webhook, i) => this.#hook(configuration, webhook, i));
    this.#byKey.set(key, hooks);
  }

  #hook(configuration: string, webhook: Webhook, index: number): Hook {
    const { name, sideEffects } = webhook;
    const versions = webhook.admissionReviewVersions;
    return {
      configuration,
      name,
      uid: `${configuration}/${name}/${index}`,
      // No rules at all match nothing, unlike the rules of a policy.
      matches: webhook.rules?.length
        ? requestMatcher({ ...webhook, resourceRules: webhook.rules }, this.#parts)
        : () => undefined,
      conditions: conditionExpressions(webhook.matchConditions ?? [], 'matchConditions'),
      client: webhook.clientConfig,
      failsOpen: webhook.failurePolicy === 'Ignore',
      timeoutMs: (webhook.timeoutSeconds ?? DEFAULT_SECONDS) * 1000,
      reviewVersion:
        (versions.find((each) => KNOWN_VERSIONS.includes(each as ReviewVersion)) as
          | ReviewVersion
          | undefined) ?? 'v1',
      reinvoked: webhook.reinvocationPolicy === 'IfNeeded',
      bearsDryRun: sideEffects === 'None' || sideEffects === 'NoneOnDryRun',
    };
  }

  /** Keys end in names, so their order is that of the names. */
  #order(): void {
    const keys = [...this.#byKey.keys()].sort();
    this.#hooks = keys.flatMap((key) => this.#byKey.get(key) ?? []);
  }
}
