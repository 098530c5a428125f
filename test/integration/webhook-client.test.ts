// The client of webhooks against real HTTPS servers: ways to Services, certificates, time, size, kept connections.
import type { ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  AdmissionregistrationWebhookClientConfig as Config,
  Pod,
} from '../../api/generated/types.ts';
import { ServiceEndpoints } from '../../apiserver/registry/service-endpoints.ts';
import {
  MAX_ANSWER_BYTES,
  MAX_FREE_CONNECTIONS,
  WebhookClient,
  type WebhookClientParts,
} from '../../apiserver/webhooks/webhook-client.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { aProxiedNode, type ProxiedNode } from '../support/proxied-node.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { aWebhookServer, type WebhookServer } from '../support/webhook-server.ts';

const NS = '/api/v1/namespaces/default';
const GENEROUS_MS = 30_000;

let node: ProxiedNode;
let server: TestServer;
let hook: WebhookServer;
let client: WebhookClient;

beforeAll(async () => {
  node = await aProxiedNode();
  server = await startTestServer({ nodeDialer: node.dialer });
  hook = await aWebhookServer(['hook.default.svc', 'sliced.default.svc', 'outside.default.svc']);
  client = aClient();
  hook.on('/yes', () => ({ allowed: true }));
  await create('/api/v1/nodes', { metadata: { name: 'n1' } });
  await setStatus('/api/v1/nodes/n1', {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: node.port } },
  });
  await create(`${NS}/serviceaccounts`, { metadata: { name: 'default' } });
  const spec = { nodeName: 'n1', containers: [{ name: 'a', image: 'a' }] };
  await create(`${NS}/pods`, { metadata: { name: 'hook' }, spec });
  const pod = (await setStatus(`${NS}/pods/hook`, {
    podIP: '10.77.0.2',
    podIPs: [{ ip: '10.77.0.2' }],
  })) as Pod;
  node.pods.set('default/hook', pod);
  await aService('hook', { ports: [{ name: 'tls', port: 443, targetPort: hook.port }] });
  const targetRef = { kind: 'Pod', namespace: 'default', name: 'hook' };
  await create(`${NS}/endpoints`, {
    metadata: { name: 'hook' },
    subsets: [
      { addresses: [{ ip: '10.77.0.2', targetRef }], ports: [{ name: 'tls', port: hook.port }] },
    ],
  });
});
afterAll(async () => {
  client.close();
  await hook.close();
  await server.close();
  await node.close();
});

function aClient(
  more: Partial<Pick<WebhookClientParts, 'clock' | 'maxConnections'>> = {},
): WebhookClient {
  const { store } = server.server;
  const { dialer: nodeDialer } = node;
  return new WebhookClient({
    store,
    endpoints: new ServiceEndpoints(store),
    clock: systemClock,
    random: systemRandom,
    nodeDialer,
    ...more,
  });
}

async function create(path: string, body: object) {
  const answer = await server.call('POST', path, { body });
  expect(answer.status, answer.text).toBe(201);
}

const aService = (name: string, spec: object) =>
  create(`${NS}/services`, { metadata: { name }, spec });

async function setStatus(path: string, status: object): Promise<unknown> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  const answer = await server.call('PATCH', `${path}/status`, { body: { status }, headers });
  expect(answer.status, answer.text).toBe(200);
  return answer.json();
}

interface Asking {
  readonly by?: WebhookClient;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

function post(config: Config, { by = client, timeoutMs = GENEROUS_MS, signal }: Asking = {}) {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Review', request: { uid: 'u' } });
  return by.post({ config, body, timeoutMs, signal: signal ?? new AbortController().signal });
}

const toService = (name: string, port = 443, path = '/yes'): Config => ({
  caBundle: hook.caBundle,
  service: { namespace: 'default', name, port, path },
});

const YES = { apiVersion: 'v1', kind: 'Review', response: { uid: 'u', allowed: true } };

describe('the client of webhooks reaches', () => {
  it('a URL', async () => {
    expect(await post(hook.at('/yes'))).toEqual(YES);
  });

  it('a pod behind a Service, through its node', async () => {
    expect(await post(toService('hook'))).toEqual(YES);
  });

  it('a pod that only an EndpointSlice names', async () => {
    await aService('sliced', { ports: [{ name: 'tls', port: 443 }] });
    const targetRef = { kind: 'Pod', namespace: 'default', name: 'hook' };
    await create('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      metadata: { name: 'sliced-a', labels: { 'kubernetes.io/service-name': 'sliced' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.77.0.2'], targetRef }],
      ports: [{ name: 'tls', port: hook.port }],
    });
    expect(await post(toService('sliced'))).toEqual(YES);
  });

  it('the name that a Service of type ExternalName stands for', async () => {
    await aService('outside', { type: 'ExternalName', externalName: 'localhost' });
    expect(await post(toService('outside', hook.port))).toEqual(YES);
  });

  it('one webhook many times over one connection', async () => {
    await post(hook.at('/yes'));
    const before = hook.connections;
    for (let i = 0; i < 5; i++) await post(hook.at('/yes'));
    expect(hook.connections).toBe(before);
  });

  it('a webhook that closed its connections meanwhile', async () => {
    await post(hook.at('/yes'));
    const calls = post(hook.at('/yes'));
    hook.dropConnections();
    expect(await calls).toEqual(YES);
  });

  it('and tells it how much time it has', async () => {
    let asked: string | undefined;
    hook.on('/time', (_, { request }) => {
      asked = request.url;
      return {};
    });
    await post(hook.at('/time'), { timeoutMs: 7_000 });
    expect(asked).toBe('/time?timeout=7s');
  });
});

describe('the client of webhooks says', () => {
  it('which Service is missing', async () => {
    await expect(post(toService('nowhere'))).rejects.toThrow(
      'Post "https://nowhere.default.svc:443/yes?timeout=30s": service "nowhere" not found',
    );
  });

  it('which port of a Service is missing, and which Service has nothing behind it', async () => {
    await aService('empty', { ports: [{ port: 443 }] });
    await expect(post(toService('hook', 99))).rejects.toThrow(
      'no service port 99 found for service "hook"',
    );
    await expect(post(toService('empty'))).rejects.toThrow(
      'no endpoints available for service "empty"',
    );
  });

  it('that nobody listens', async () => {
    const tcp = createTcpServer();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const { port } = tcp.address() as AddressInfo;
    await new Promise((resolve) => tcp.close(resolve));
    const config = { url: `https://127.0.0.1:${port}/x`, caBundle: hook.caBundle };
    await expect(post(config)).rejects.toThrow(
      `Post "https://127.0.0.1:${port}/x?timeout=30s": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  });

  it('that the certificate is of another authority', async () => {
    const { url } = hook.at('/yes');
    await expect(post({ url })).rejects.toThrow(
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    );
  });

  it('that the certificate is of another name', async () => {
    await aService('other', { type: 'ExternalName', externalName: 'localhost' });
    await expect(post(toService('other', hook.port))).rejects.toThrow(
      /x509: certificate is valid for 127\.0\.0\.1, .*, not other\.default\.svc$/,
    );
  });

  it('that a bundle has no certificate', async () => {
    const config = { ...hook.at('/yes'), caBundle: Buffer.from('nothing').toString('base64') };
    await expect(post(config)).rejects.toThrow('unable to load root certificates');
  });

  it('that there was no answer in time, before and within the answer', async () => {
    hook.on('/hang', () => undefined);
    hook.on('/half', (_, { response }) => {
      response.write('{"kind":');
      return undefined;
    });
    const late = { timedOut: true, message: expect.stringMatching(/context deadline exceeded$/) };
    await expect(post(hook.at('/hang'), { timeoutMs: 50 })).rejects.toMatchObject(late);
    await expect(post(hook.at('/half'), { timeoutMs: 200 })).rejects.toMatchObject(late);
  });

  it('that the caller gave up', async () => {
    hook.on('/hang', () => undefined);
    const giveUp = new AbortController();
    const before = hook.reviews('/hang').length;
    const asked = post(hook.at('/hang'), { signal: giveUp.signal });
    const refused = expect(asked).rejects.toThrow('context canceled');
    await until(() => hook.reviews('/hang').length > before);
    giveUp.abort();
    await refused;
  });

  it('that the connection ended without an answer', async () => {
    hook.on('/reset', (_, { response }) => {
      response.destroy();
      return undefined;
    });
    await expect(post(hook.at('/reset'))).rejects.toThrow(/: EOF$/);
  });

  it('that a kept connection ended twice over, and takes no more time than it has for both', async () => {
    const clock = new VirtualClock();
    const by = aClient({ clock });
    await post(hook.at('/yes'), { by });
    let asked = 0;
    hook.on('/lost', async (_, { response }) => {
      if (++asked > 1) return undefined;
      await clock.advance(200);
      response.destroy();
      return undefined;
    });
    let failure: unknown;
    const lost = post(hook.at('/lost'), { by, timeoutMs: 300 }).catch((error: unknown) => {
      failure = error;
    });
    await until(() => asked === 2);
    await clock.advance(99);
    expect(failure).toBeUndefined();
    await clock.advance(1);
    await lost;
    expect(String(failure)).toContain('context deadline exceeded');
    expect(asked).toBe(2);
    by.close();
  });

  it('that an answer is too large, and reads no more of it', async () => {
    hook.on('/large', (_, { response }) => {
      response.end(' '.repeat(MAX_ANSWER_BYTES + 1));
      return undefined;
    });
    await expect(post(hook.at('/large'))).rejects.toThrow(
      `the answer is larger than ${MAX_ANSWER_BYTES} bytes`,
    );
  });

  it('that an answer is no JSON', async () => {
    hook.on('/html', (_, { response }) => {
      response.end('<html>');
      return undefined;
    });
    await expect(post(hook.at('/html'))).rejects.toThrow('the answer is not JSON');
  });

  it('what status an answer had, and follows no redirect', async () => {
    const answers: readonly [number, string][] = [
      [302, 'the server responded with the status code 302 but did not return more information'],
      [404, 'the server could not find the requested resource'],
      [500, 'an error on the server ("it broke") has prevented the request from succeeding'],
    ];
    for (const [status, message] of answers) {
      hook.on('/status', (_, { response }) => {
        response.writeHead(status, { location: hook.at('/yes').url }).end('it broke\n');
        return undefined;
      });
      await expect(post(hook.at('/status'))).rejects.toMatchObject({ message });
    }
  });
});

describe('of one webhook a client has', () => {
  it('only so many connections; further calls wait, within their time', async () => {
    const few = aClient({ maxConnections: 3 });
    const held: ServerResponse[] = [];
    hook.on('/hold', (_, { response }) => {
      held.push(response);
      return undefined;
    });
    const before = hook.connections;
    const calls = Array.from({ length: 3 }, () => post(hook.at('/hold'), { by: few }));
    await until(() => held.length === calls.length);
    const late = post(hook.at('/yes'), { by: few, timeoutMs: 100 });
    await expect(late).rejects.toThrow('context deadline exceeded');
    const waiting = post(hook.at('/yes'), { by: few });
    for (const response of held) response.end('{}');
    await Promise.all(calls);
    expect(await waiting).toEqual(YES);
    expect(hook.connections - before).toBe(3);
    few.close();
  });

  it('only so many idle ones, and none once it is closed', async () => {
    client.close();
    await until(() => hook.open === 0);
    const held: ServerResponse[] = [];
    hook.on('/hold', (_, { response }) => {
      held.push(response);
      return undefined;
    });
    const many = MAX_FREE_CONNECTIONS + 2;
    const calls = Array.from({ length: many }, () => post(hook.at('/hold')));
    await until(() => held.length === many);
    expect(hook.open).toBe(many);
    for (const response of held) response.end('{}');
    await Promise.all(calls);
    await until(() => hook.open === MAX_FREE_CONNECTIONS);
    client.close();
    await until(() => hook.open === 0);
  });
});
