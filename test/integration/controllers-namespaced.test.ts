// What every namespace has, against the real API server: its default ServiceAccount and the CA's certificate.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigMaps, Deployments, Namespaces, ServiceAccounts } from '../../api/kinds.ts';
import { createLogger } from '../../base/logger.ts';
import type { ControlledCluster } from '../support/controlled-cluster.ts';
import { aControlledCluster, aDeployment } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

const CA = { name: 'kube-root-ca.crt', namespace: 'shop' };
const ACCOUNT = { name: 'default', namespace: 'shop' };

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly controller?: string;
}

let cluster: ControlledCluster;
let lines: Line[];
beforeEach(async () => {
  lines = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Line);
  const logger = createLogger('debug', { write });
  cluster = await aControlledCluster({ caCertificate: 'PEM', logger });
  await cluster.client
    .resource(Namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
  await until(async () => (await account()) !== undefined && (await ca()) !== undefined);
});
afterEach(() => cluster.close());

const absent = () => undefined;
const account = () => cluster.client.resource(ServiceAccounts).get(ACCOUNT).catch(absent);
const ca = () => cluster.client.resource(ConfigMaps).get(CA).catch(absent);

describe('a namespace', () => {
  it('has a ServiceAccount and the certificate, and keeps what others add to them', async () => {
    expect((await ca())?.data).toEqual({ 'ca.crt': 'PEM' });
    const first = await account();
    const accounts = cluster.client.resource(ServiceAccounts);
    const pulls = { type: 'merge', body: { imagePullSecrets: [{ name: 'pull' }] } } as const;
    const changed = await accounts.patch(ACCOUNT, pulls);
    await cluster.client.resource(ConfigMaps).delete(CA);
    await until(async () => (await ca()) !== undefined);
    expect((await account())?.metadata.uid).toBe(first?.metadata.uid);
    expect((await account())?.imagePullSecrets).toEqual(changed.imagePullSecrets);
  });

  it('gets both again when they are deleted', async () => {
    const before = [(await account())?.metadata.uid, (await ca())?.metadata.uid];
    await cluster.client.resource(ServiceAccounts).delete(ACCOUNT);
    await cluster.client.resource(ConfigMaps).delete(CA);
    await until(async () => {
      const now = [(await account())?.metadata.uid, (await ca())?.metadata.uid];
      return now.every((uid, i) => uid !== undefined && uid !== before[i]);
    });
  });

  it('has its certificate put right when somebody changes it', async () => {
    const forged = { type: 'merge', body: { data: { 'ca.crt': 'FORGED', more: 'x' } } } as const;
    await cluster.client.resource(ConfigMaps).patch(CA, forged);
    await until(async () => (await ca())?.data?.['ca.crt'] === 'PEM');
    expect((await ca())?.data).toEqual({ 'ca.crt': 'PEM' });
  });

  it('gets nothing again while it ends', async () => {
    const namespaces = cluster.client.resource(Namespaces);
    await namespaces.delete({ name: 'shop' });
    await until(async () => (await namespaces.get({ name: 'shop' }).catch(absent)) === undefined);
    expect(await account()).toBeUndefined();
    expect(await ca()).toBeUndefined();
  });

  it('ends without a word about what cannot be made in it any more', async () => {
    const { client } = cluster;
    const at = (name: string) => ({ namespace: 'shop', name });
    const finalizers = ['test.dev/held'];
    const held = { ...aDeployment('web'), metadata: { ...at('web'), finalizers } };
    await client.resource(Deployments).create(held);
    const deployment = () => client.resource(Deployments).get(at('web'));
    await client.resource(Namespaces).delete({ name: 'shop' });
    await until(async () => (await deployment()).metadata.deletionTimestamp !== undefined);
    const refused = await client
      .resource(ConfigMaps)
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: at('late') })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({
      reason: 'Forbidden',
      details: {
        kind: 'configmaps',
        name: 'late',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace shop is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
    });
    const free = { type: 'merge', body: { metadata: { finalizers: null } } } as const;
    await client.resource(Deployments).patch(at('web'), free);
    await until(async () => {
      const found = await client.resource(Namespaces).get({ name: 'shop' }).catch(absent);
      return found === undefined;
    });
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  });
});
