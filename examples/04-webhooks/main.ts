// An operator that is webhooks alone: it installs ImageRules, serves their conversion and the admission of pods, and tells the API
// server so. Certificates are made, kept in a Secret and renewed by itself.
// Run it beside a cluster on the same host: `KUBECONFIG=FILE node_modules/.bin/node examples/04-webhooks/main.ts`; in a pod, name
// the Service in front of it: `SERVICE=NAMESPACE/NAME`. It listens on `PORT`, 9443 unless given.
import { runOperator, webhookServer, type WebhookServerOptions } from 'pinnace/controllers';
import { ImageRules } from './kind.ts';
import { allowedImages, imageRuleVersions, namedRegistries } from './webhooks.ts';

const [namespace = '', name = ''] = process.env['SERVICE']?.split('/') ?? [];
const reached: Partial<WebhookServerOptions> =
  name === '' ? { host: '127.0.0.1' } : { service: { namespace, name } };

if (import.meta.main)
  await runOperator({
    name: 'image-rules',
    controllers: [],
    kinds: [ImageRules],
    webhooks: webhookServer({
      name: 'image-rules',
      webhooks: [namedRegistries, allowedImages, imageRuleVersions],
      port: Number(process.env['PORT'] ?? 9443),
      ...reached,
    }),
  });
