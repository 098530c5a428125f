// API servers behind this one that are not there, hang, lie or break off: upstream's reasons, and the rest of the API as it was.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  ANSWER_TIMEOUT_MS,
  MAX_WAITING_REQUESTS,
} from '../../apiserver/extensions/aggregation/pass-on.ts';
import {
  DOCUMENT_TIMEOUT_MS,
  MAX_DOCUMENT_BYTES,
} from '../../apiserver/extensions/aggregation/remote-documents.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { type AggregatedApi, anAggregatedApi } from '../support/aggregated-api.ts';
import { until } from '../support/until.ts';

/** Waits of seconds are tenths of seconds here, unless a test says otherwise; the time for an answer is over when a test says so. */
const HASTE = 10;
const NO_HASTE = 1 / 100;
let haste = HASTE;
/** So much sooner a check or a document is given up: as it is, where a test wants neither to be. */
let checkHaste = 1;
/** What is done when the time of an answer that is waited for is over. */
const answerTimes = new Set<() => void>();
const hasty: Clock = {
  ...systemClock,
  timer: (ms, fn) => {
    const divisor = ms === DOCUMENT_TIMEOUT_MS ? Math.min(haste, checkHaste) : haste;
    if (ms !== ANSWER_TIMEOUT_MS) return systemClock.timer(ms / divisor, fn);
    answerTimes.add(fn);
    return { cancel: () => void answerTimes.delete(fn) };
  },
};

const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

let api: AggregatedApi;
beforeAll(async () => {
  // So few requests of its own that those to a server that hangs would be the whole API.
  api = await anAggregatedApi({ clock: hasty, maxRequestsInflight: 5 });
});
afterAll(() => api.close());

const call: AggregatedApi['server']['call'] = (...args) => api.server.call(...args);

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** Has a server of that name behind the group `NAME.example.com`. */
async function behind(name: string, serve: Serve): Promise<{ group: string; apiService: string }> {
  const server = createServer(await api.pairFor(name), serve);
  await api.putBehind(name, server);
  const group = `${name}.example.com`;
  await api.register({ group, version: 'v1', service: { namespace: 'default', name } });
  return { group, apiService: `v1.${group}` };
}

/** A server that is found available, and does what it is told beyond that. */
const wellBut =
  (serve: Serve): Serve =>
  (request, response) => {
    const { url = '' } = request;
    if (/^\/apis\/[^/]+\/v1$/.test(url)) response.end('{}');
    else serve(request, response);
  };

/** Resolves once the condition of an APIService says so. Where the host stands still, a check may have run out of time before. */
const says = (apiService: string, why: RegExp) =>
  expect.poll(() => api.condition(apiService)).toMatch(why);

/** Checks are given up soon, in this test. */
function impatient(): void {
  checkHaste = HASTE;
  onTestFinished(() => void (checkHaste = 1));
}

async function freshness(group: string): Promise<string | undefined> {
  const { items } = (await call('GET', '/apis', { headers: { accept: AGGREGATED } })).json();
  const found = (items as Item[]).find(({ metadata }) => metadata.name === group);
  return found?.versions[0]?.freshness;
}

interface Item {
  readonly metadata: { readonly name: string };
  readonly versions: readonly { readonly freshness: string }[];
}

describe('An API server that cannot be reached', () => {
  it('is told with the reason, from the Service to its endpoints, and is there as soon as they are', async () => {
    // No look comes by the clock in this test: each is for what has just changed.
    haste = NO_HASTE;
    onTestFinished(() => void (haste = HASTE));
    const group = 'late.example.com';
    const core = '/api/v1/namespaces/default';
    const name = `v1.${group}`;
    await api.register({ group, version: 'v1', service: { namespace: 'default', name: 'late' } });
    await api.becomes('ServiceNotFound', name);
    expect(await api.condition(name)).toBe(
      'ServiceNotFound: service/late in "default" is not present',
    );
    const spec = { ports: [{ name: 'api', port: 444 }] };
    await call('POST', `${core}/services`, { body: { metadata: { name: 'late' }, spec } });
    await api.becomes('ServicePortError', name);
    expect(await api.condition(name)).toContain(
      'service/late in "default" is not listening on port 443',
    );
    const headers = { 'content-type': 'application/merge-patch+json' };
    const body = { spec: { ports: [{ name: 'api', port: 443 }] } };
    await call('PATCH', `${core}/services/late`, { body, headers });
    await api.becomes('EndpointsNotFound', name);
    expect(await api.condition(name)).toContain(
      'cannot find endpointslices for service/late in "default"',
    );
    const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
    const slice = {
      metadata: { name: 'late-a', labels: { 'kubernetes.io/service-name': 'late' } },
      addressType: 'IPv4',
      endpoints: [],
    };
    const made = await call('POST', slices, { body: slice });
    expect(made.status, made.text).toBe(201);
    await api.becomes('MissingEndpoints', name);
    expect(await api.condition(name)).toContain(
      'endpointslices for service/late in "default" have no addresses with port name "api"',
    );
    const refused = await call('GET', `/apis/${group}/v1/things`);
    expect([refused.status, refused.text]).toEqual([503, 'service unavailable\n']);
    const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const shown = await call('GET', `${SERVICES}/${name}`, { headers: { accept: table } });
    expect(shown.json().rows[0].cells.slice(0, 3)).toEqual([
      name,
      'default/late',
      'False (MissingEndpoints)',
    ]);
    expect(await freshness(group)).toBe('Stale');
    const kitchen = (await call('GET', `${core}/endpoints/kitchen`)).json();
    const [{ addresses, ports }] = kitchen.subsets;
    const endpointsThat = (ready: boolean) => ({
      endpoints: [
        {
          addresses: [addresses[0].ip],
          targetRef: addresses[0].targetRef,
          conditions: { ready },
        },
      ],
      ports: [{ ...ports[0], name: 'api' }],
    });
    const put = async (more: object) => {
      const answer = await call('PUT', `${slices}/late-a`, { body: { ...slice, ...more } });
      expect(answer.status, answer.text).toBe(200);
    };
    await put(endpointsThat(true));
    // The kitchen answers, with a certificate for another name.
    await api.becomes('FailedDiscoveryCheck', name);
    expect(await api.condition(name)).toContain(
      'x509: certificate is valid for kitchen.default.svc, not late.default.svc',
    );
    await put(endpointsThat(false));
    await api.becomes('MissingEndpoints', name);
  });

  it('is down: the check has failed, and it is found again when it is back', async () => {
    let up = false;
    const { apiService } = await behind('down', (request, response) => {
      if (up) response.end('{}');
      else request.socket.destroy();
    });
    await says(
      apiService,
      /^FailedDiscoveryCheck: failing or missing response from https:\/\/[\d.]+:443\/apis\/down.example.com\/v1: Get "https:.*": EOF$/,
    );
    up = true;
    await api.becomes('Passed', apiService);
  });

  it('shows a certificate that the APIService does not know, unless that does not matter', async () => {
    const { apiService } = await behind(
      'strange',
      wellBut((_, response) => void response.end()),
    );
    await api.becomes('Passed', apiService);
    const headers = { 'content-type': 'application/merge-patch+json' };
    const change = (spec: object) =>
      call('PATCH', `${SERVICES}/${apiService}`, { body: { spec }, headers });
    await change({ caBundle: Buffer.from(api.frontProxyCa).toString('base64') });
    await says(
      apiService,
      /^FailedDiscoveryCheck: .*x509: certificate signed by unknown authority/,
    );
    await change({ caBundle: null, insecureSkipTLSVerify: true });
    await api.becomes('Passed', apiService);
  });

  it('answers its check with a refusal or a redirect', async () => {
    let code = 401;
    const { apiService } = await behind('refusing', (_request, response) => {
      response.writeHead(code, { location: '/elsewhere' }).end();
    });
    await says(
      apiService,
      /^FailedDiscoveryCheck: failing or missing response from (https:\S+): bad status from \1: 401$/,
    );
    code = 302;
    await says(apiService, /: 302$/);
  });

  it('never answers its check', async () => {
    impatient();
    const { apiService } = await behind('mute', () => undefined);
    await api.becomes('FailedDiscoveryCheck', apiService);
    expect(await api.condition(apiService)).toContain('context deadline exceeded');
  });
});

describe('An API server outside the cluster, by a Service of type ExternalName', () => {
  const outside = async (name: string, server: NetServer) => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const spec = { type: 'ExternalName', externalName: 'localhost' };
    const services = '/api/v1/namespaces/default/services';
    const made = await call('POST', services, { body: { metadata: { name }, spec } });
    expect(made.status, made.text).toBe(201);
    const service = { namespace: 'default', name, port };
    await api.register({ group: `${name}.example.com`, version: 'v1', service });
  };

  it('is reached there, and known by the Service’s name', async () => {
    const server = createServer(await api.pairFor('far'), (request, response) => {
      response.end(JSON.stringify({ host: request.headers.host }));
    });
    await outside('far', server);
    await api.becomes('Passed', 'v1.far.example.com');
    const { host } = (await call('GET', '/apis/far.example.com/v1/things')).json();
    expect(host).toMatch(/^far\.default\.svc:\d+$/);
    server.closeAllConnections();
    server.close();
  });

  it('may take connections and never say a word', async () => {
    const sockets = new Set<Socket>();
    const server = createTcpServer(
      (socket) => void sockets.add(socket.on('error', () => undefined)),
    );
    impatient();
    await outside('silent', server);
    await api.becomes('FailedDiscoveryCheck', 'v1.silent.example.com');
    expect(await api.condition('v1.silent.example.com')).toContain('context deadline exceeded');
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});

describe('An API server whose documents are no good', () => {
  const large = Buffer.alloc(5 * 1024 * 1024, ' ');
  it.each([
    ['of 5 MB', 'huge', (response: ServerResponse) => void response.end(large)],
    ['in HTML', 'page', (response: ServerResponse) => void response.end('<html>')],
    ['in the wrong form', 'odd', (response: ServerResponse) => void response.end('[{"a":1}]')],
    [
      'that break off',
      'short',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 100 }).write('{');
        setImmediate(() => response.destroy());
      },
    ],
    ['that never come', 'slow', () => undefined],
  ])('%s: its kinds are Stale, and /apis is as quick as ever', async (_what, name, serve) => {
    expect(large.length).toBeGreaterThan(MAX_DOCUMENT_BYTES);
    const asked: string[] = [];
    const { group, apiService } = await behind(
      name,
      wellBut((request, response) => {
        asked.push(request.url ?? '');
        serve(response);
      }),
    );
    await api.becomes('Passed', apiService);
    await until(() => asked.includes('/openapi/v2'));
    expect(await freshness(group)).toBe('Stale');
    expect((await call('GET', '/openapi/v2')).status).toBe(200);
    expect((await call('GET', '/openapi/v3')).json().paths).not.toHaveProperty(`apis/${group}/v1`);
  });

  it('shows the kinds of before when they can no longer be had', async () => {
    let good = true;
    const list = {
      kind: 'APIResourceList',
      groupVersion: 'fading.example.com/v1',
      resources: [{ name: 'things', kind: 'Thing', namespaced: true, verbs: ['get'] }],
    };
    const { group } = await behind('fading', (request, response) => {
      if (good && request.url === '/apis/fading.example.com/v1') response.end(JSON.stringify(list));
      else if (good) response.writeHead(404).end();
      else response.writeHead(500).end();
    });
    await until(async () => (await freshness(group)) === 'Current');
    good = false;
    await until(async () => (await freshness(group)) === 'Stale');
    const whole = await call('GET', '/apis', { headers: { accept: AGGREGATED } });
    expect(whole.text).toContain('"resource":"things"');
  });
});

describe('Requests to an API server that misbehaves', () => {
  /** Resolves once it is found available. It stays so: from then on no look comes by the clock, and none runs out of time. */
  const available = async (apiService: string) => {
    await api.becomes('Passed', apiService);
    haste = NO_HASTE;
    onTestFinished(() => void (haste = HASTE));
  };

  it('are not led elsewhere by it', async () => {
    const serve = wellBut((_request, response) => {
      response.writeHead(307, { location: 'https://169.254.169.254/' }).end();
    });
    const { group, apiService } = await behind('leading', serve);
    await available(apiService);
    const answer = await call('GET', `/apis/${group}/v1/things`);
    expect([answer.status, answer.headers['location']]).toEqual([502, undefined]);
    expect(answer.text).toBe(
      'the backend attempted to redirect this request, which is not permitted',
    );
  });

  it('are told when it resets the connection, before and after its answer began', async () => {
    const serve = wellBut(({ url = '', socket }, response) => {
      if (!url.includes('watch')) return void socket.destroy();
      const event = '{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n';
      response.write(event, () => socket.destroy());
    });
    const { group, apiService } = await behind('resetting', serve);
    await available(apiService);
    const answer = await call('GET', `/apis/${group}/v1/things`);
    expect([answer.status, answer.text]).toEqual([503, 'error trying to reach service: EOF\n']);
    const watch = await api.server.open(
      `/apis/${group}/v1/things?watch=1`,
      new AbortController().signal,
    );
    let text = '';
    const ended = new Promise<string>((resolve) => {
      watch.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      watch.on('end', () => resolve('end'));
      watch.on('error', () => resolve('broken'));
    });
    expect([await ended, text.trim()]).toEqual([
      'broken',
      '{"type":"ADDED","object":{"metadata":{"name":"a"}}}',
    ]);
  });

  it('end as failures for parts of this process, too: a refused watch, a broken line, a body that breaks off', async () => {
    const lines = ['{"type":"ADDED","object":{"metadata":{"name":"a"}}}', 'no JSON'];
    const serve = wellBut(({ url = '' }, response) => {
      const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
      if (url.includes('resourceVersion')) response.writeHead(410).end(JSON.stringify(gone));
      else if (url.includes('watch')) response.write(`${lines.join('\n')}\n`);
      else {
        response.writeHead(200, { 'content-length': 100 }).write('{');
        setImmediate(() => response.destroy());
      }
    });
    const { group, apiService } = await behind('within', serve);
    await available(apiService);
    const admin = { username: 'admin', groups: ['system:masters'] };
    const transport = createInProcessTransport(api.server.server.handler, admin);
    const path = `/apis/${group}/v1/things`;
    const watch = async (query: Record<string, string>) => {
      const names: (string | undefined)[] = [];
      for await (const events of transport.watch({
        method: 'GET',
        path,
        query: { ...query, watch: 'true' },
      }))
        names.push(...events.map(({ object }) => object.metadata.name));
      return names;
    };
    await expect(watch({ resourceVersion: '1' })).rejects.toMatchObject({ reason: 'Expired' });
    expect(await watch({})).toEqual(['a']);
    await expect(transport.request({ method: 'GET', path })).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
    });
    transport.close();
  });

  it('wait for one that hangs within a limit of number and time, and nobody else does', async () => {
    const { group, apiService } = await behind(
      'hanging',
      wellBut(() => undefined),
    );
    await available(apiService);
    const binding = {
      metadata: { name: 'jane' },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'cluster-admin',
      },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    };
    const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
    expect((await call('POST', bindings, { body: binding })).status).toBe(201);
    // In process, so that all are there at once; as somebody who is no administrator to the limits.
    const ask = async (path: string) => {
      const signal = new AbortController().signal;
      const asked = { method: 'GET', path, query: new URLSearchParams(), headers: {} } as const;
      const user = { username: 'jane', groups: [] };
      const reply = await api.server.server.handler({ ...asked, signal }, user);
      if (reply.kind !== 'body') throw new Error(`answered by a ${reply.kind}`);
      return { status: reply.status, reason: reply.object?.()['reason'] };
    };
    const asking = Array.from({ length: MAX_WAITING_REQUESTS + 5 }, () =>
      ask(`/apis/${group}/v1/things`),
    );
    const turnedAway = { status: 429, reason: 'TooManyRequests' };
    expect(await Promise.race(asking)).toEqual(turnedAway);
    expect((await ask('/api/v1/namespaces')).status).toBe(200);
    const over = Array.from(answerTimes);
    answerTimes.clear();
    for (const end of over) end();
    const answers = await Promise.all(asking);
    expect(answers.slice(MAX_WAITING_REQUESTS)).toEqual(
      Array.from({ length: 5 }, () => turnedAway),
    );
    const late = { status: 504, reason: 'Timeout' };
    expect(answers.slice(0, MAX_WAITING_REQUESTS)).toEqual(
      Array.from({ length: MAX_WAITING_REQUESTS }, () => late),
    );
  });
});
