// What the typed verbs send, and what they refuse to send.
import { expect, it } from 'vitest';
import { ConfigMaps } from '../../api/kinds.ts';
import type { Transport } from '../transport/transport.ts';
import { createClient } from './rest-client.ts';

it('refuses an object without a name unsent, since its path would be the whole collection', async () => {
  const sent: string[] = [];
  const refuse = ({ method, path }: { method: string; path: string }): never => {
    sent.push(`${method} ${path}`);
    throw new Error('sent');
  };
  const transport = { request: refuse, watch: refuse, stream: refuse, close: () => undefined };
  const configs = createClient(transport as unknown as Transport).resource(ConfigMaps);
  const ref = { namespace: 'default', name: '' };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref };
  const nameless = { ...object, metadata: { namespace: 'default', generateName: 'a-' } };
  for (const call of [
    () => configs.get(ref),
    () => configs.update(object),
    () => configs.update(nameless),
    () => configs.updateStatus(object),
    () => configs.patch(ref, { type: 'merge', body: {} }),
    () => configs.delete(ref),
    () => configs.create(object, { subresource: 'token' }),
    () => configs.create(nameless, { subresource: 'token' }),
  ])
    await expect(call()).rejects.toThrow('resource name may not be empty');
  expect(sent).toEqual([]);
  await expect(configs.create(nameless)).rejects.toThrow('sent');
  expect(sent).toEqual(['POST /api/v1/namespaces/default/configmaps']);
});
