// The webhooks that are configured, in the order in which they are asked: by the name of their configuration, then as listed.
// Invariant: kept by the store's events; a request reads a list that is there, of those alone whose rules are about it.
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
import type { ResourceDefinition } from '../../../api/definition.ts';
import type { KindRef } from '../../../api/kind-ref.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { collectionPrefix } from '../../registry/keys.ts';
import {
  type MatchableRequest,
  type MatchingParts,
  type RequestMatcher,
  requestMatcher,
} from '../matching.ts';

/** Versions of AdmissionReview that this server can send. */
export type ReviewVersion = 'v1' | 'v1beta1';

/** A webhook made ready. */
export interface Hook {
  /** Name of its configuration. */
  readonly configuration: string;
  readonly name: string;
  /** Tells it from every other one, namesakes in other configurations included. */
  readonly uid: string;
  /** Its place among all webhooks, for the audit. */
  readonly index: number;
  /** As matches, by its rules alone: the same for all requests of one sort. */
  readonly isAbout: RequestMatcher;
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
type Unplaced = Omit<Hook, 'index'>;

const NONE: readonly Hook[] = [];

const DEFAULT_SECONDS = 10;
const KNOWN_VERSIONS: readonly ReviewVersion[] = ['v1', 'v1beta1'];

/** The webhooks of one kind of configuration. */
export class WebhookIndex {
  readonly #parts: MatchingParts;
  readonly #byKey = new Map<string, readonly Unplaced[]>();
  #hooks: readonly Hook[] = [];
  /** What #find came to, by definition (a kind that is served otherwise has another one) and sort of request, until any configuration changes. */
  #found = new WeakMap<ResourceDefinition, Map<string, readonly Hook[]>>();

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

  /** Those whose rules are about the request, in order; selectors and conditions are still to be asked. */
  about(request: MatchableRequest): readonly Hook[] {
    if (this.#hooks.length === 0) return NONE;
    const { definition, operation, subresource = '' } = request;
    let sorts = this.#found.get(definition);
    if (!sorts) this.#found.set(definition, (sorts = new Map()));
    const sort = `${operation} ${subresource}`;
    let hooks = sorts.get(sort);
    if (!hooks) sorts.set(sort, (hooks = this.#find(request)));
    return hooks;
  }

  #find(request: MatchableRequest): readonly Hook[] {
    return this.#hooks.filter(({ isAbout }) => isAbout(request) !== undefined);
  }

  #put(key: string, object: LooseObject): void {
    const { metadata, webhooks = [] } = object as unknown as MutatingWebhookConfiguration;
    const configuration = metadata.name ?? '';
    const hooks = webhooks.map((webhook, i) => this.#hook(configuration, webhook, i));
    this.#byKey.set(key, hooks);
  }

  #hook(configuration: string, webhook: Webhook, at: number): Unplaced {
    const { name, sideEffects, matchPolicy, rules } = webhook;
    const versions = webhook.admissionReviewVersions;
    return {
      configuration,
      name,
      uid: `${configuration}/${name}/${at}`,
      // No rules at all match nothing, unlike the rules of a policy.
      isAbout: rules?.length
        ? requestMatcher({ resourceRules: rules, matchPolicy }, this.#parts)
        : () => undefined,
      matches: requestMatcher({ ...webhook, resourceRules: rules }, this.#parts),
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
    const hooks = keys.flatMap((key) => this.#byKey.get(key) ?? []);
    this.#hooks = hooks.map((hook, index) => ({ ...hook, index }));
    this.#found = new WeakMap();
  }
}
