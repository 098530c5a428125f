// The authorities in objects that name webhooks: which entries are ours, and what they should say.
// Invariant: pure; nothing but `caBundle` of entries that are ours is changed.
import type { KubeObject } from '../../../api/meta/object.ts';

/** As far as objects that name webhooks are alike. */
interface NamesWebhooks {
  readonly webhooks?: readonly Entry[] | undefined;
  readonly spec?:
    | { readonly conversion?: { readonly webhook?: { readonly clientConfig?: Config } } }
    | undefined;
}

interface Entry {
  readonly name: string;
  readonly clientConfig: Config;
}

interface Config {
  readonly caBundle?: string | undefined;
  readonly url?: string | undefined;
  readonly service?: { readonly path?: string | undefined } | undefined;
}

/** The object with this authority (PEM) in the entries that `ours` has too; the same object where they have it. */
export function withTrust<T extends KubeObject>(object: T, ours: KubeObject, caBundle: string): T {
  const encoded = Buffer.from(caBundle).toString('base64');
  const [current, wanted] = [object as T & NamesWebhooks, ours as NamesWebhooks];
  if (current.webhooks) {
    const names = new Set(wanted.webhooks?.map(({ name }) => name));
    const isStale = ({ name, clientConfig }: Entry) =>
      names.has(name) && clientConfig.caBundle !== encoded;
    if (!current.webhooks.some(isStale)) return object;
    const webhooks = current.webhooks.map((entry) =>
      isStale(entry)
        ? { ...entry, clientConfig: { ...entry.clientConfig, caBundle: encoded } }
        : entry,
    );
    return { ...object, webhooks };
  }
  const conversion = current.spec?.conversion;
  const config = conversion?.webhook?.clientConfig;
  if (!config || config.caBundle === encoded || !isOurs(config, wanted)) return object;
  const webhook = { ...conversion.webhook, clientConfig: { ...config, caBundle: encoded } };
  return { ...object, spec: { ...current.spec, conversion: { ...conversion, webhook } } };
}

/** A definition has one webhook, which may be somebody else's by now. */
function isOurs(config: Config, { spec }: NamesWebhooks): boolean {
  const ours = spec?.conversion?.webhook?.clientConfig;
  return config.url === ours?.url && config.service?.path === ours?.service?.path;
}
