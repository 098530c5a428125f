// What answers at a port of a Service: which endpoints are believed, by proxies and by calls out of the server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_NAME_LABEL } from '../../api/discovery/slice-labels.ts';
import type { Service } from '../../api/generated/types.ts';
import { type BackendChoice, serviceBackend } from '../../apiserver/handlers/service-backend.ts';
import { ServiceEndpoints } from '../../apiserver/registry/service-endpoints.ts';
import { systemRandom } from '../../base/random.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const NS = '/api/v1/namespaces/default';

let server: TestServer;
let endpoints: ServiceEndpoints;
beforeAll(async () => {
  server = await startTestServer();
  endpoints = new ServiceEndpoints(server.server.store);
  await create('serviceaccounts', { metadata: { name: 'default' } });
  const spec = { nodeName: 'n1', containers: [{ name: 'a', image: 'a' }] };
  await create('pods', { metadata: { name: 'web' }, spec });
  const headers = { 'content-type': 'application/merge-patch+json' };
  const body = { status: { podIP: '10.77.0.2', podIPs: [{ ip: '10.77.0.2' }] } };
  await server.call('PATCH', `${NS}/pods/web/status`, { body, headers });
});
afterAll(() => server.close());

async function create(plural: string, body: object): Promise<unknown> {
  const answer = await server.call('POST', `${NS}/${plural}`, { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.json();
}

interface Address {
  readonly ip: string;
  readonly targetRef?: object;
}

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

/** A slice of the Service, with what is particular about it. */
function aSlice(service: string, more: object = {}) {
  return {
    metadata: { name: `${service}-a`, labels: { [SERVICE_NAME_LABEL]: service } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.99.0.1'] }],
    ports: [{ name: 'web', port: 8080 }],
    ...more,
  };
}

async function send(method: string, path: string, body?: object): Promise<void> {
  const headers = { 'content-type': `application/${method === 'PATCH' ? 'merge-patch+' : ''}json` };
  const answer = await server.call(method, path, { ...(body && { body }), headers });
  expect(answer.status, answer.text).toBeLessThan(300);
}

/** Ways to say which endpoints a Service has. */
const WRITTEN = {
  slices: (name: string, addresses: readonly Address[]) =>
    send(
      'POST',
      SLICES,
      aSlice(name, {
        endpoints: addresses.map(({ ip, ...more }) => ({ addresses: [ip], ...more })),
      }),
    ),
  endpoints: (name: string, addresses: readonly Address[]) =>
    create('endpoints', {
      metadata: { name },
      subsets: [{ addresses, ports: [{ name: 'web', port: 8080 }] }],
    }),
};
const WAYS = Object.keys(WRITTEN) as (keyof typeof WRITTEN)[];

/** Finds the backend of a Service. */
async function finder(name: string, choice: BackendChoice) {
  const ports = [{ name: 'web', port: 80 }];
  const service = await create('services', { metadata: { name }, spec: { ports } });
  const parts = { store: server.server.store, endpoints, random: systemRandom };
  return () => serviceBackend(parts, service as Service, choice);
}

const POD = { kind: 'Pod', namespace: 'default', name: 'web' };
const NOTHING = /no endpoints available for service/;

const ANY: BackendChoice = { port: '80', withoutPods: true };
const at = (ip: string) => ({ kind: 'address', ip, port: 8080 });

describe.each(WAYS)('by %s,', (way) => {
  const backendOf = async (name: string, addresses: readonly Address[], choice: BackendChoice) => {
    const backend = await finder(`${name}-${way}`, choice);
    await WRITTEN[way](`${name}-${way}`, addresses);
    return backend;
  };

  it('a pod answers, by the name or the number of the port', async () => {
    const addresses = [{ ip: '10.77.0.2', targetRef: POD }];
    for (const [name, port] of [
      ['by-name', 'web'],
      ['by-number', '80'],
    ] as const) {
      const backend = await backendOf(name, addresses, { port, withoutPods: false });
      expect(backend()).toMatchObject({
        kind: 'pod',
        port: 8080,
        pod: { metadata: { name: 'web' } },
      });
    }
  });

  it('an address that is no pod answers only where that is asked for', async () => {
    const addresses = [{ ip: '10.99.0.1' }];
    const outside = await backendOf('outside', addresses, ANY);
    expect(outside()).toEqual(at('10.99.0.1'));
    const proxied = await backendOf('proxied', addresses, { port: '80', withoutPods: false });
    expect(proxied).toThrow(NOTHING);
  });

  it.each([
    ['another address than the pod has', [{ ip: '10.77.0.9', targetRef: POD }]],
    ['a pod that is not there', [{ ip: '10.77.0.2', targetRef: { ...POD, name: 'gone' } }]],
    ['a pod of another namespace', [{ ip: '10.77.0.2', targetRef: { ...POD, namespace: 'x' } }]],
  ])('%s is not believed', async (what, addresses) => {
    const backend = await backendOf(what.replaceAll(' ', '-').slice(0, 40), addresses, ANY);
    expect(backend).toThrow(NOTHING);
  });
});

describe('Slices of a Service', () => {
  it('count in place of its Endpoints, until the last of them goes', async () => {
    const backend = await finder('both', ANY);
    await WRITTEN.endpoints('both', [{ ip: '10.99.0.9' }]);
    expect(backend()).toEqual(at('10.99.0.9'));
    await send('POST', SLICES, aSlice('both', { endpoints: [] }));
    expect(backend).toThrow(NOTHING);
    const second = aSlice('both', { endpoints: [{ addresses: ['10.99.0.2'] }] });
    second.metadata.name = 'both-b';
    await send('POST', SLICES, second);
    expect(backend()).toEqual(at('10.99.0.2'));
    await send('DELETE', `${SLICES}/both-b`);
    expect(backend).toThrow(NOTHING);
    await send('DELETE', `${SLICES}/both-a`);
    expect(backend()).toEqual(at('10.99.0.9'));
  });

  it('are those whose label names it now, in its namespace', async () => {
    const [first, second] = [await finder('first', ANY), await finder('second', ANY)];
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'elsewhere' } });
    await send('POST', SLICES.replace('default', 'elsewhere'), aSlice('second'));
    await send('POST', SLICES, aSlice('first'));
    expect(first()).toEqual(at('10.99.0.1'));
    expect(second).toThrow(NOTHING);
    const labels = { [SERVICE_NAME_LABEL]: 'second' };
    await send('PATCH', `${SLICES}/first-a`, { metadata: { labels } });
    expect(first).toThrow(NOTHING);
    expect(second()).toEqual(at('10.99.0.1'));
    await send('PATCH', `${SLICES}/first-a`, { metadata: { labels: null } });
    expect(second).toThrow(NOTHING);
  });

  it('are known that were there before anybody followed them', async () => {
    const backend = await finder('before', ANY);
    await send('POST', SLICES, aSlice('before'));
    const parts = { store: server.server.store, random: systemRandom };
    const late = { ...parts, endpoints: new ServiceEndpoints(server.server.store) };
    const service = (await server.call('GET', `${NS}/services/before`)).json() as Service;
    expect(serviceBackend(late, service, ANY)).toEqual(backend());
  });

  const addresses = ['10.99.0.1'];
  it.each([
    ['is not ready', { endpoints: [{ addresses, conditions: { ready: false } }] }],
    ['has a name for an address', { addressType: 'FQDN', endpoints: [{ addresses: ['a.b'] }] }],
    ['has another port', { ports: [{ name: 'other', port: 8080 }] }],
    ['has no number for the port', { ports: [{ name: 'web' }] }],
  ])('may have an endpoint that %s, which is left out', async (what, more) => {
    const name = what.replaceAll(' ', '-');
    const backend = await finder(name, ANY);
    await send('POST', SLICES, aSlice(name, more));
    expect(backend).toThrow(NOTHING);
    await send('DELETE', `${SLICES}/${name}-a`);
    await send('POST', SLICES, aSlice(name, { endpoints: [{ addresses, conditions: {} }] }));
    expect(backend()).toEqual(at('10.99.0.1'));
  });
});
