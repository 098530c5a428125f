// Endpoints of Services against the real API server; the test plays the node agent.
import { afterEach, describe, expect, it } from 'vitest';
import type {
  Endpoints as EndpointsObject,
  EndpointSlice,
  Service,
} from '../../api/generated/types.ts';
import { Deployments, Endpoints, EndpointSlices, Nodes, Pods, Services } from '../../api/kinds.ts';
import type { ControlledCluster } from '../support/controlled-cluster.ts';
import {
  aControlledCluster,
  aDeployment,
  podsOf,
  readyAll,
  setReady,
} from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

const clusters: ControlledCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

const service = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default', labels: { tier: 'front' } },
  spec: {
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    ...spec,
  },
});

async function aCluster() {
  const cluster = await aControlledCluster();
  clusters.push(cluster);
  const { client } = cluster;
  const slices = async (): Promise<EndpointSlice[]> =>
    (
      await client
        .resource(EndpointSlices)
        .list({ namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' })
    ).items;
  const conditions = async () =>
    (await slices()).flatMap(({ endpoints = [] }) =>
      endpoints.map((endpoint) => endpoint.conditions),
    );
  const ready = async () => (await conditions()).filter((each) => each?.ready).length;
  return { client, slices, conditions, ready };
}

describe('the endpoints of a service', () => {
  it('follow its pods as they come, get ready, fail and go', async () => {
    const { client, slices, conditions, ready } = await aCluster();
    await client.resource(Services).create(service());
    await client.resource(Deployments).create(aDeployment('web', { replicas: 2 }));
    await until(async () => (await podsOf(client, 'web')).length === 2);
    await readyAll(client, 'web');
    await until(async () => (await ready()) === 2);
    const [slice, ...others] = await slices();
    expect(others).toEqual([]);
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      metadata: {
        labels: {
          tier: 'front',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Service', name: 'web' }],
      },
    });
    const [first, second] = await podsOf(client, 'web');
    if (!first || !second) throw new Error('there are no pods');
    await setReady(client, first, false);
    await until(async () => (await ready()) === 1);
    // They are written apart from the slices.
    const subset = async () => {
      const { items } = await client.resource(Endpoints).list({ namespace: 'default' });
      return items.find(({ metadata }) => metadata.name === 'web')?.subsets?.[0];
    };
    await until(async () => {
      const { addresses, notReadyAddresses } = (await subset()) ?? {};
      return addresses?.length === 1 && notReadyAddresses?.length === 1;
    });
    expect((await subset())?.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    // A pod that terminates serves on, but gets no new traffic.
    const { name = '' } = second.metadata;
    const hold = { metadata: { finalizers: ['example.com/hold'] } };
    await client
      .resource(Pods)
      .patch({ namespace: 'default', name }, { type: 'merge', body: hold });
    await client.resource(Pods).delete({ namespace: 'default', name });
    await until(async () =>
      (await conditions()).some((each) => each?.terminating && each.serving && !each.ready),
    );
  });

  it('are spread over slices of a hundred', async () => {
    const { client, slices, ready } = await aCluster();
    await client.resource(Services).create(service());
    await client.resource(Deployments).create(aDeployment('web', { replicas: 130 }));
    await until(async () => (await podsOf(client, 'web')).length === 130);
    await readyAll(client, 'web');
    await until(async () => (await ready()) === 130);
    const sizes = (await slices()).map(({ endpoints = [] }) => endpoints.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(130);
  });

  it('leave out pods whose node is not there', async () => {
    const { client, ready } = await aCluster();
    await client.resource(Services).create(service());
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };
    await client.resource(Nodes).create(node);
    const pod = await client.resource(Pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
      spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'image:1' }] },
    });
    await setReady(client, pod);
    await until(async () => (await ready()) === 1);
    await client.resource(Nodes).delete({ name: 'n1' });
    await until(async () => (await ready()) === 0);
    await client.resource(Nodes).create(node);
    await until(async () => (await ready()) === 1);
  });

  it('are made anew, or marked again, when they lose our mark', async () => {
    const { client, slices } = await aCluster();
    await client.resource(Services).create(service());
    const endpoints = client.resource(Endpoints);
    const at = { namespace: 'default', name: 'web' };
    const mark = async () =>
      (await endpoints.get(at)).metadata.labels?.['endpoints.kubernetes.io/managed-by'];
    await until(
      async () => (await slices()).length === 1 && (await endpoints.list()).items.length > 0,
    );
    const unmarked = { type: 'merge', body: { metadata: { labels: null } } } as const;
    const [slice] = await slices();
    const name = slice?.metadata.name ?? '';
    await client.resource(EndpointSlices).patch({ namespace: 'default', name }, unmarked);
    await until(async () => (await slices()).some(({ metadata }) => metadata.name !== name));
    await endpoints.patch(at, unmarked);
    await until(async () => (await mark()) === 'endpoint-controller');
  });

  it('go with it', async () => {
    const { client, slices } = await aCluster();
    await client.resource(Services).create(service());
    await until(async () => (await slices()).length === 1);
    await client.resource(Services).delete({ namespace: 'default', name: 'web' });
    await until(async () => (await slices()).length === 0);
    await until(
      async () =>
        (await client.resource(Endpoints).list({ namespace: 'default' })).items.length === 0,
    );
  });
});

describe('endpoints written by hand for a service without selector', () => {
  const at = { namespace: 'default', name: 'web' };
  const byHand = (...ips: string[]): EndpointsObject => ({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...at, labels: { made: 'by-hand' } },
    subsets: [
      {
        addresses: ips.map((ip) => ({ ip })),
        notReadyAddresses: [{ ip: '10.9.9.9' }],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ],
  });
  const addressesOf = (list: readonly EndpointSlice[]) =>
    list.flatMap(({ endpoints = [] }) =>
      endpoints.map(({ addresses, conditions }) => `${addresses[0]} ${conditions?.ready}`),
    );

  it('are shown as slices, and follow what becomes of them', async () => {
    const { client, slices } = await aCluster();
    const endpoints = client.resource(Endpoints);
    await endpoints.create(byHand('10.1.1.1', 'fd00::1'));
    const { selector: _, ...spec } = service().spec ?? {};
    await client.resource(Services).create({ ...service(), spec });
    await until(async () => (await slices()).length === 2);
    const made = await slices();
    const ipv4 = made.find(({ addressType }) => addressType === 'IPv4');
    expect(ipv4).toMatchObject({
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      metadata: {
        labels: {
          made: 'by-hand',
          'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Endpoints', name: 'web', controller: true }],
      },
    });
    expect(addressesOf(made).toSorted()).toEqual([
      '10.1.1.1 true',
      '10.9.9.9 false',
      'fd00::1 true',
    ]);
    await endpoints.patch(at, { type: 'merge', body: { subsets: byHand('10.1.1.2').subsets } });
    await until(async () => addressesOf(await slices()).includes('10.1.1.2 true'));
    await until(async () => (await slices()).length === 1);
    expect((await slices())[0]?.metadata.uid).toBe(ipv4?.metadata.uid);
    const skip = { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } };
    await endpoints.patch(at, { type: 'merge', body: { metadata: skip } });
    await until(async () => (await slices()).length === 0);
  });

  it('go with the service', async () => {
    const { client, slices } = await aCluster();
    const endpoints = client.resource(Endpoints);
    const { selector: _, ...spec } = service().spec ?? {};
    await client.resource(Services).create({ ...service(), spec });
    await endpoints.create(byHand('10.1.1.1'));
    await until(async () => (await slices()).length === 1);
    await client.resource(Services).delete(at);
    await until(async () => (await slices()).length === 0);
    await until(async () => (await endpoints.list({ namespace: 'default' })).items.length === 0);
  });
});
