// What a server's next start does to the roles and bindings that every cluster has, and that users have changed meanwhile.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ClusterRole, ClusterRoleBinding } from '../../api/generated/types.ts';
import { ClusterRoleBindings, ClusterRoles } from '../../api/kinds.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { type ApiServer, createApiServer } from '../../apiserver/api-server.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';

const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };
const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const doors = { clock: systemClock, random: systemRandom, logger: silentLogger };

let storage: Storage;
let server: ApiServer;
let client: Client;
async function start(): Promise<void> {
  server = await createApiServer({ ...doors, storage, serviceCidr: '10.96.0.0/16' });
  client = createClient(createInProcessTransport(server.handler, ADMIN));
}
async function startAgain(): Promise<void> {
  await server.close();
  await start();
}
beforeEach(async () => {
  storage = createMemoryStorage(doors);
  await start();
});
afterEach(async () => {
  await server.close();
  await storage.close();
});

const role = (name: string) => client.resource(ClusterRoles).get({ name });
const change = (name: string, body: Partial<ClusterRole>) =>
  client.resource(ClusterRoles).patch({ name }, { type: 'merge', body });
const verbs = ({ rules = [] }: ClusterRole) => rules.flatMap((rule) => rule.verbs);

it('gives a role its rules back, and keeps those that were added', async () => {
  const mine = { apiGroups: ['example.com'], resources: ['widgets'], verbs: ['paint'] };
  await change('system:discovery', { rules: [mine] });
  await startAgain();
  const after = await role('system:discovery');
  expect(after.rules?.[0]).toEqual(mine);
  expect(verbs(after)).toContain('get');
});

it('leaves a role alone that its users keep for themselves', async () => {
  await change('system:discovery', {
    rules: [],
    metadata: { annotations: { [AUTOUPDATE]: 'false' } },
  });
  await startAgain();
  expect((await role('system:discovery')).rules ?? []).toEqual([]);
});

it('gives a binding its subjects back, and makes anew what was deleted', async () => {
  const bindings = client.resource(ClusterRoleBindings);
  const { subjects: before = [] } = await bindings.get({ name: 'system:discovery' });
  const ann = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann' };
  const body: Partial<ClusterRoleBinding> = { subjects: [ann] };
  await bindings.patch({ name: 'system:discovery' }, { type: 'merge', body });
  await client.resource(ClusterRoles).delete({ name: 'view' });
  await startAgain();
  const after = await client.resource(ClusterRoleBindings).get({ name: 'system:discovery' });
  expect(after.subjects).toEqual([ann, ...before]);
  expect(verbs(await role('view'))).toContain('list');
});

it('writes nothing where nothing is missing', async () => {
  const versions = async () =>
    [
      ...(await client.resource(ClusterRoles).list()).items,
      ...(await client.resource(ClusterRoleBindings).list()).items,
    ].map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
  const before = await versions();
  await startAgain();
  expect(await versions()).toEqual(before);
});
