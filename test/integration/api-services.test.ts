// Addresses and node ports of Services: given, unique, kept, and given back.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const PATH = '/api/v1/namespaces/default/services';
const service = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
});
const nodePort = (number?: number) => ({
  type: 'NodePort',
  ports: [{ port: 80, ...(number && { nodePort: number }) }],
});

describe('Services', () => {
  let api: ApiCaller;
  beforeEach(async () => {
    api = await anApiCaller({ serviceCidr: '10.96.0.0/28', nodePortRange: [30_000, 30_001] });
  });
  afterEach(() => api.close());
  const make = (name: string, spec: object = {}) =>
    api.call('POST', PATH, { body: service(name, spec) });
  const merge = (name: string, spec: object) =>
    api.call('PATCH', `${PATH}/${name}`, {
      type: 'application/merge-patch+json',
      body: { spec },
    });
  const portOf = ({ json }: Awaited<ReturnType<typeof make>>) =>
    (json.spec['ports'] as unknown as { nodePort?: number }[])[0]?.nodePort;

  it('get addresses of their own and keep them on update', async () => {
    const [a, b] = [await make('a'), await make('b')];
    const ip = a.json.spec['clusterIP'];
    expect(ip).toMatch(/^10\.96\.0\.\d+$/);
    expect(b.json.spec['clusterIP']).not.toBe(ip);
    expect(a.json.spec['clusterIPs']).toEqual([ip]);
    const { metadata } = a.json;
    const body = { ...service('a', { selector: { app: 'x' } }), metadata };
    expect((await api.call('PUT', `${PATH}/a`, { body })).json.spec['clusterIP']).toBe(ip);
  });

  it('have no address when they are headless or name another host', async () => {
    expect((await make('h', { clusterIP: 'None' })).json.spec['clusterIP']).toBe('None');
    const outside = await make('e', { type: 'ExternalName', externalName: 'example.com' });
    expect(outside.json.spec).not.toHaveProperty('clusterIP');
  });

  it('are refused an address or a port that another has or that is out of range', async () => {
    await make('a', { ...nodePort(30_000), clusterIP: '10.96.0.5' });
    for (const spec of [
      { clusterIP: '10.96.0.5' },
      { clusterIP: '10.97.0.5' },
      nodePort(30_000),
      nodePort(80),
    ]) {
      const refused = await make('b', spec);
      expect([refused.status, refused.json.reason]).toEqual([422, 'Invalid']);
    }
  });

  it('give back what a refused or dry write took', async () => {
    expect((await make('Bad_Name', { clusterIP: '10.96.0.5' })).status).toBe(422);
    const dry = service('a', { clusterIP: '10.96.0.5' });
    expect((await api.call('POST', `${PATH}?dryRun=All`, { body: dry })).status).toBe(201);
    expect((await make('a', { clusterIP: '10.96.0.5' })).status).toBe(201);
  });

  it('give back their ports when they are changed to need none, or get another', async () => {
    await make('a', nodePort(30_000));
    expect(portOf(await merge('a', nodePort(30_001)))).toBe(30_001);
    expect((await make('b', nodePort(30_000))).status).toBe(201);
    await merge('a', { type: 'ClusterIP' });
    expect(portOf(await make('c', nodePort()))).toBe(30_001);
    expect((await make('d', nodePort())).status).toBe(500);
  });

  it('keep the node port of a name, whatever port it stands for now', async () => {
    const ports = (numbers: readonly [name: string, port: number, nodePort?: number][]) => ({
      type: 'NodePort',
      ports: numbers.map(([name, port, number]) => ({
        name,
        port,
        ...(number !== undefined && { nodePort: number }),
      })),
    });
    const numbers = ({ json }: Awaited<ReturnType<typeof make>>) =>
      (json.spec['ports'] as unknown as { nodePort: number }[]).map((each) => each.nodePort);
    await make(
      'a',
      ports([
        ['web', 80, 30_000],
        ['api', 90, 30_001],
      ]),
    );
    expect(
      numbers(
        await merge(
          'a',
          ports([
            ['web', 81],
            ['api', 91],
          ]),
        ),
      ),
    ).toEqual([30_000, 30_001]);
  });

  it('give all back when they go, at once or by their last finalizer', async () => {
    await make('a', { ...nodePort(30_000), clusterIP: '10.96.0.5' });
    await api.call('PATCH', `${PATH}/a`, {
      type: 'application/merge-patch+json',
      body: { metadata: { finalizers: ['example.com/x'] } },
    });
    await api.call('DELETE', `${PATH}/a`);
    expect((await make('b', nodePort(30_000))).status).toBe(422);
    await api.call('PATCH', `${PATH}/a`, {
      type: 'application/merge-patch+json',
      body: { metadata: { finalizers: null } },
    });
    expect((await api.call('GET', `${PATH}/a`)).status).toBe(404);
    expect((await make('b', { ...nodePort(30_000), clusterIP: '10.96.0.5' })).status).toBe(201);
    await api.call('DELETE', `${PATH}/b`);
    expect((await make('c', nodePort(30_000))).status).toBe(201);
  });
});
