// IPAddresses follow the Services' addresses, against the real API server.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IPAddresses, Services } from '../../api/kinds.ts';
import { aControlledCluster, type ControlledCluster } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

let cluster: ControlledCluster;
beforeEach(async () => {
  cluster = await aControlledCluster({});
});
afterEach(() => cluster.close());

const services = () => cluster.client.resource(Services);
const addresses = () => cluster.client.resource(IPAddresses);
const absent = () => undefined;
const parentOf = async (name: string) =>
  (await addresses().get({ name }).catch(absent))?.spec?.parentRef;

async function aService(name: string, clusterIP: string) {
  await services().create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { ...(clusterIP && { clusterIP }), ports: [{ port: 80 }] },
  });
  const { spec } = await services().get({ name, namespace: 'default' });
  return spec?.clusterIP ?? '';
}

describe('The IPAddress of a Service', () => {
  it('comes and goes with it, and changes hands', async () => {
    const ip = await aService('one', '');
    await until(async () => (await parentOf(ip)) !== undefined);
    expect(await parentOf(ip)).toEqual({
      resource: 'services',
      namespace: 'default',
      name: 'one',
    });
    await services().delete({ name: 'one', namespace: 'default' });
    await until(async () => (await parentOf(ip)) === undefined);
    await aService('two', ip);
    await until(async () => (await parentOf(ip))?.name === 'two');
  });

  it('is made again when it is deleted; another’s is left alone', async () => {
    const ip = await aService('one', '');
    await until(async () => (await parentOf(ip)) !== undefined);
    const { uid } = (await addresses().get({ name: ip })).metadata;
    await addresses().delete({ name: ip });
    await until(async () => {
      const now = await addresses().get({ name: ip }).catch(absent);
      return now !== undefined && now.metadata.uid !== uid;
    });
    const parentRef = { group: 'example.com', resource: 'gateways', name: 'mine' };
    await addresses().create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: { name: '192.0.2.1' },
      spec: { parentRef },
    });
    await aService('two', '');
    await until(async () => (await addresses().list({})).items.length >= 3);
    expect(await parentOf('192.0.2.1')).toEqual(parentRef);
  });

  it('is not made for a Service without an address', async () => {
    await aService('headless', 'None');
    const ip = await aService('one', '');
    await until(async () => (await parentOf(ip)) !== undefined);
    const names = (await addresses().list({})).items.map(({ spec }) => spec?.parentRef?.name);
    expect(names).not.toContain('headless');
  });
});
