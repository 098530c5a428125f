// What the API server has to be told of webhooks, as objects: configurations for those of admission, and what the definitions of
// kinds say of conversion. Invariant: pure; the objects follow from the webhooks, so that rules and handlers cannot drift apart.
import type {
  CustomResourceDefinition,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingWebhookConfiguration,
} from '../../../api/generated/types.ts';
import { apiVersionOf, type KindRef } from '../../../api/kind-ref.ts';
import {
  CustomResourceDefinitions,
  MutatingWebhookConfigurations,
  ValidatingWebhookConfigurations,
} from '../../../api/kinds.ts';
import type { ConversionWebhook } from './conversion.ts';
import type { Webhook } from './review-desk.ts';
import type { AdmissionWebhook } from './webhook.ts';

/** How API servers reach the webhooks: by a Service of the cluster, or by a URL. */
export type WebhookAddress =
  | { readonly service: WebhookService; readonly url?: undefined }
  /** `https://HOST:PORT`, to which the webhooks' paths are added. */
  | { readonly url: string; readonly service?: undefined };

/** The Service in front of a webhook server. */
export interface WebhookService {
  readonly namespace: string;
  readonly name: string;
  /** Of the Service; 443 unless given. */
  readonly port?: number;
}

/** What the objects are made with. */
export type ConfigurationOptions = WebhookAddress & {
  /** Of the two configurations. */
  readonly name: string;
  /** Authorities to trust, PEM; left out where somebody else puts them in. */
  readonly caBundle?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** For cert-manager: `cert-manager.io/inject-ca-from`. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
};

/** An object to apply. Definitions are parts: they are installed already, and gain `spec.conversion`. */
export interface ConfigurationObject {
  readonly ref: KindRef;
  readonly object:
    | ValidatingWebhookConfiguration
    | MutatingWebhookConfiguration
    | (Pick<CustomResourceDefinition, 'apiVersion' | 'kind' | 'metadata'> & {
        readonly spec: Pick<CustomResourceDefinition['spec'], 'conversion'>;
      });
}

/** The objects that make the API server ask these webhooks. Throws TypeError for an address that is none. */
export function webhookConfigurations(
  webhooks: readonly Webhook[],
  options: ConfigurationOptions,
): ConfigurationObject[] {
  const at = clientConfigs(options);
  const of = (sort: AdmissionWebhook['sort']) =>
    webhooks.flatMap((each) => (each.sort === sort ? [entryOf(each as AdmissionWebhook, at)] : []));
  const configuration = (ref: KindRef, entries: readonly MutatingWebhook[]) =>
    entries.length === 0
      ? []
      : [{ ref, object: { ...headOf(ref, options.name, options), webhooks: [...entries] } }];
  return [
    ...configuration(MutatingWebhookConfigurations, of('mutating')),
    ...configuration(ValidatingWebhookConfigurations, of('validating')),
    ...webhooks.flatMap((each) =>
      each.sort === 'converting' ? [conversionOf(each, at, options)] : [],
    ),
  ];
}

type ClientConfigs = (path: string) => MutatingWebhook['clientConfig'];

function clientConfigs({ service, url, caBundle }: ConfigurationOptions): ClientConfigs {
  const trust = caBundle && { caBundle: Buffer.from(caBundle).toString('base64') };
  if (service)
    return (path) => ({ service: { ...service, port: service.port ?? 443, path }, ...trust });
  const base = url ?? '';
  if (!URL.canParse(base) || !/^https:\/\/[^/?#@]+\/?$/.test(base))
    throw new TypeError(
      `the address of webhooks ${JSON.stringify(base)} is no https://HOST:PORT: give that, or a service`,
    );
  return (path) => ({ url: `${base.replace(/\/$/, '')}${path}`, ...trust });
}

function headOf(
  ref: KindRef,
  name: string,
  { labels, annotations }: Pick<ConfigurationOptions, 'labels' | 'annotations'>,
): Pick<ValidatingWebhookConfiguration, 'apiVersion' | 'kind' | 'metadata'> {
  const metadata = {
    name,
    ...(labels && { labels: { ...labels } }),
    ...(annotations && { annotations: { ...annotations } }),
  };
  return { apiVersion: apiVersionOf(ref), kind: ref.kind, metadata };
}

function entryOf(webhook: AdmissionWebhook, at: ClientConfigs): MutatingWebhook {
  const { name, timeoutSeconds, path, settings } = webhook;
  const { namespaceSelector, objectSelector, matchConditions, reinvocationPolicy } = settings;
  return {
    name,
    clientConfig: at(path),
    rules: [ruleOf(webhook)],
    admissionReviewVersions: ['v1'],
    sideEffects: settings.sideEffects ?? 'None',
    failurePolicy: settings.failurePolicy ?? 'Fail',
    matchPolicy: settings.matchPolicy ?? 'Equivalent',
    timeoutSeconds,
    ...(namespaceSelector && { namespaceSelector }),
    ...(objectSelector && { objectSelector }),
    ...(matchConditions && { matchConditions: [...matchConditions] }),
    ...(webhook.sort === 'mutating' && { reinvocationPolicy: reinvocationPolicy ?? 'Never' }),
  };
}

function ruleOf({ ref, operations, subresource }: AdmissionWebhook): RuleWithOperations {
  return {
    apiGroups: [ref.group],
    apiVersions: [ref.version],
    resources: [subresource === '' ? ref.plural : `${ref.plural}/${subresource}`],
    operations: [...operations],
    scope: ref.namespaced ? 'Namespaced' : 'Cluster',
  };
}

function conversionOf(
  webhook: ConversionWebhook,
  at: ClientConfigs,
  options: ConfigurationOptions,
): ConfigurationObject {
  const ref = CustomResourceDefinitions;
  const conversion = {
    strategy: 'Webhook',
    webhook: { conversionReviewVersions: ['v1'], clientConfig: at(webhook.path) },
  };
  return { ref, object: { ...headOf(ref, webhook.name, options), spec: { conversion } } };
}
