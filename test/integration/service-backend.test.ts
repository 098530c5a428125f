// What answers at a port of a Service: which endpoints are believed, by proxies and by calls out of the server.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Service } from '../../api/generated/types.ts';
import { type BackendChoice, serviceBackend } from '../../apiserver/handlers/service-backend.ts';
import { systemRandom } from '../../base/random.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const NS = '/api/v1/namespaces/default';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
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

/** The backend of a Service whose endpoints are these addresses. */
async function backendOf(name: string, addresses: readonly object[], choice: BackendChoice) {
  const ports = [{ name: 'web', port: 80 }];
  const service = await create('services', { metadata: { name }, spec: { ports } });
  const subsets = [{ addresses, ports: [{ name: 'web', port: 8080 }] }];
  await create('endpoints', { metadata: { name }, subsets });
  const parts = { store: server.server.store, random: systemRandom };
  return () => serviceBackend(parts, service as Service, choice);
}

const POD = { kind: 'Pod', namespace: 'default', name: 'web' };
const NOTHING = /no endpoints available for service/;

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
  const outside = await backendOf('outside', addresses, { port: '80', withoutPods: true });
  expect(outside()).toEqual({ kind: 'address', ip: '10.99.0.1', port: 8080 });
  const proxied = await backendOf('proxied', addresses, { port: '80', withoutPods: false });
  expect(proxied).toThrow(NOTHING);
});

it.each([
  ['another address than the pod has', [{ ip: '10.77.0.9', targetRef: POD }]],
  ['a pod that is not there', [{ ip: '10.77.0.2', targetRef: { ...POD, name: 'gone' } }]],
  ['a pod of another namespace', [{ ip: '10.77.0.2', targetRef: { ...POD, namespace: 'x' } }]],
])('%s is not believed', async (what, addresses) => {
  const name = what.replaceAll(' ', '-').slice(0, 40);
  const backend = await backendOf(name, addresses, { port: '80', withoutPods: true });
  expect(backend).toThrow(NOTHING);
});
