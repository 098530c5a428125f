// Which name of a kubeconfig's users counts for a webhook.
import { expect, it } from 'vitest';
import { identityFor, type WebhookIdentity } from './webhook-identity.ts';

const identities = (...names: string[]) =>
  new Map<string, WebhookIdentity>(names.map((cert) => [cert, { cert }]));

it.each([
  ['hook.shop.svc', 443, ['hook.shop.svc', '*'], 'hook.shop.svc'],
  ['hook.shop.svc', 443, ['hook.shop.svc', 'hook.shop.svc:443'], 'hook.shop.svc:443'],
  ['hook.shop.svc', 8443, ['hook.shop.svc', 'hook.shop.svc:8443'], 'hook.shop.svc:8443'],
  ['hook.shop.svc', 8443, ['hook.shop.svc'], undefined],
  ['hook.shop.svc', 443, ['*.svc', '*.shop.svc', '*'], '*.shop.svc'],
  ['hook.shop.svc', 8443, ['*.shop.svc', '*.shop.svc:8443'], '*.shop.svc:8443'],
  ['a.b.company.org', 443, ['*.company.org'], '*.company.org'],
  ['company.org', 443, ['*.company.org'], undefined],
  ['company.org', 443, ['*.company.org', '*'], '*'],
  ['127.0.0.1', 8443, ['127.0.0.1:8443'], '127.0.0.1:8443'],
  ['::1', 8443, ['[::1]:8443'], '[::1]:8443'],
  ['::1', 443, ['::1'], '::1'],
  ['hook.shop.svc', 443, [], undefined],
])('%s:%i of %j is %s', (...row) => {
  const [host, port, names, name] = row;
  expect(identityFor(identities(...names), { host, port })?.cert).toBe(name);
});
