// Runs the operator: `KUBECONFIG=FILE node_modules/.bin/node examples/08-tenant/main.ts`. Installs its kind first. Its webhook is asked
// on this host, on `PORT` (9443 unless given); in a pod, name the Service in front of it: `SERVICE=NAMESPACE/NAME`.
import { runOperator, webhookServer, type WebhookServerOptions } from 'pinnace/controllers';
import { tenants } from './controller.ts';
import { Tenants } from './kind.ts';
import { freeNamespaces } from './webhook.ts';

const [namespace = '', name = ''] = process.env['SERVICE']?.split('/') ?? [];
const reached: Partial<WebhookServerOptions> =
  name === '' ? { host: '127.0.0.1' } : { service: { namespace, name } };

if (import.meta.main)
  await runOperator({
    name: 'tenants',
    kinds: [Tenants],
    controllers: [tenants],
    webhooks: webhookServer({
      name: 'tenants',
      webhooks: [freeNamespaces],
      port: Number(process.env['PORT'] ?? 9443),
      ...reached,
    }),
    leaderElection: true,
  });
