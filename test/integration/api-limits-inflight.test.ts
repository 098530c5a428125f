// How many requests are worked on at once: those beyond are told to come again, administrators and long ones come through.
import { once } from 'node:events';
import { type RequestOptions, request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import {
  Inflight,
  MAX_LONG_RUNNING,
  MAX_MUTATING_REQUESTS_INFLIGHT,
  MAX_REQUESTS_INFLIGHT,
} from '../../apiserver/inflight.ts';
import { requestInfo } from '../../apiserver/request-info.ts';
import { anApiCaller } from '../support/api-caller.ts';
import { memoryStorageWith } from '../support/memory-storage-with.ts';
import { startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A storage whose writes wait for `go` once `hold` was called. */
function holdable() {
  let gate = Promise.resolve();
  let open = () => {};
  const storage = memoryStorageWith((real) => ({
    commit: async (...all) => {
      await gate;
      return real.commit(...all);
    },
  }));
  const hold = () => {
    gate = new Promise((resolve) => {
      open = () => resolve();
    });
  };
  return { storage, hold, go: () => open() };
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const PODS = '/api/v1/namespaces/default/pods';

describe('A full server', () => {
  it('turns writes away with 429 and Retry-After, but no administrator, no read, no watch', async () => {
    const { storage, hold, go } = holdable();
    const api = await anApiCaller({ storage, maxMutatingRequestsInflight: 2 });
    endings.push(() => api.close());
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { nonResourceAttributes: { path: '/', verb: 'get' } },
    };
    const ask = () => api.call('POST', REVIEWS, { body: review, as: 'eve' });
    hold();
    const writes = ['a', 'b'].map((name) =>
      api.call('POST', '/api/v1/namespaces', { body: { metadata: { name } } }),
    );
    const full = await ask();
    expect(full.status).toBe(429);
    expect(full.headers['retry-after']).toBe('1');
    expect(full.json).toMatchObject({
      kind: 'Status',
      reason: 'TooManyRequests',
      message: 'Too many requests, please try again later.',
      details: { retryAfterSeconds: 1 },
    });
    expect((await api.call('GET', PODS)).status).toBe(200);
    const watch = await api.watch(PODS);
    watch.stop();
    const third = api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'c' } } });
    go();
    for (const made of await Promise.all([...writes, third])) expect(made.status).toBe(201);
    expect((await ask()).status).toBe(201);
    const figures = (await api.call('GET', '/metrics')).text;
    expect(figures).toMatch(/^apiserver_request_terminations_total\{.*code="429".*\} 1$/m);
    expect(figures).toContain('apiserver_current_inflight_requests{request_kind="mutating"} 0');
    expect(figures).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 1');
  });
});

describe('Without options', () => {
  const eve = { username: 'eve', groups: [] };
  const infoOf = (method: 'GET' | 'POST', path: string) =>
    requestInfo({ method, path, query: new URLSearchParams() });

  it.each([
    ['GET', MAX_REQUESTS_INFLIGHT, 400],
    ['POST', MAX_MUTATING_REQUESTS_INFLIGHT, 200],
  ] as const)('%s is taken %i times at once, as upstream', (method, limit, upstream) => {
    expect(limit).toBe(upstream);
    const inflight = new Inflight();
    const info = infoOf(method, PODS);
    const taken = Array.from({ length: limit }, () => inflight.enter(eve, info));
    expect(() => inflight.enter(eve, info)).toThrow('Too many requests');
    inflight.leave(taken[0]);
    expect(() => inflight.enter(eve, info)).not.toThrow();
  });

  it('what runs for long is counted apart', () => {
    const inflight = new Inflight({ maxRequestsInflight: 0, maxMutatingRequestsInflight: 0 });
    for (const part of ['exec', 'attach', 'portforward', 'log', 'proxy'])
      expect(inflight.enter(eve, infoOf('GET', `${PODS}/a/${part}`))).toBe('longRunning');
    expect(() => inflight.enter(eve, infoOf('GET', PODS))).toThrow('Too many requests');
  });

  it('MAX_LONG_RUNNING of those are taken at once', () => {
    const inflight = new Inflight();
    const log = infoOf('GET', `${PODS}/a/log`);
    for (let i = 0; i < MAX_LONG_RUNNING; i++) inflight.enter(eve, log);
    expect(() => inflight.enter(eve, log)).toThrow('Too many requests');
    inflight.leave('longRunning');
    expect(() => inflight.enter(eve, log)).not.toThrow();
  });
});

describe('A server with as many watches as it may have', () => {
  it.each(['over HTTPS', 'over a WebSocket'])(
    'turns another one %s away with 429, but no administrator, and takes it once one is over',
    async (way) => {
      const server = await startTestServer({
        maxLongRunning: 2,
        tokens: new Map([['secret', { username: 'eve', groups: [] }]]),
      });
      endings.push(() => server.close());
      for (const [plural, more] of [
        ['clusterroles', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['*'] }] }],
        [
          'clusterrolebindings',
          {
            subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'eve' }],
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'eve' },
          },
        ],
      ] as const) {
        const path = `/apis/rbac.authorization.k8s.io/v1/${plural}`;
        const body = { metadata: { name: 'eve' }, ...more };
        expect((await server.call('POST', path, { body })).status).toBe(201);
      }
      const headers = { authorization: 'Bearer secret' };
      const { ca } = server.tls;
      const watch = () =>
        way === 'over HTTPS'
          ? overHttps(`${server.url}${PODS}?watch=1`, { ca, headers, agent: false })
          : overWebSocket(`${server.url}${PODS}?watch=1`, { ca, headers });
      const [first, second] = [await watch(), await watch()];
      expect([first?.status, second?.status]).toEqual([200, 200]);
      const third = await watch();
      expect([third.status, third.retryAfter]).toEqual([429, '1']);
      // What is not let in, or is no watch, takes no place.
      const denied = '/api/v1/nodes?watch=1';
      for (let i = 0; i < 3; i++)
        expect((await server.call('GET', denied, { as: 'nobody' })).status).toBe(429);
      const gone = new AbortController();
      expect((await server.open(`${PODS}?watch=1`, gone.signal)).statusCode).toBe(200);
      gone.abort();
      first.end();
      await until(async () => {
        const again = await watch();
        again.end();
        return again.status === 200;
      });
      second.end();
    },
  );

  it('takes no place for connections that are asked for without an upgrade', async () => {
    const server = await startTestServer({ maxLongRunning: 1 });
    endings.push(() => server.close());
    const exec = `${PODS}/a/exec?command=x`;
    for (let i = 0; i < 3; i++)
      expect((await server.call('GET', exec, { as: 'nobody' })).status).toBe(403);
  });
});

it('A server with as many connections as it may have closes others unread', async () => {
  const server = await startTestServer({ maxConnections: 1 });
  endings.push(() => server.close());
  const { ca, key, cert } = server.tls;
  const first = connect({ host: '127.0.0.1', port: server.port, ca, key, cert });
  await once(first, 'secureConnect');
  const second = connect({ host: '127.0.0.1', port: server.port, ca, key, cert });
  const [error] = (await once(second, 'error', {})) as [Error];
  expect(error.message).toMatch(/disconnected|ECONNRESET/);
  first.destroy();
  await until(async () => {
    const next = connect({ host: '127.0.0.1', port: server.port, ca, key, cert });
    const stands = await Promise.race([
      once(next, 'secureConnect').then(() => true),
      once(next, 'close').then(() => false),
    ]).catch(() => false);
    next.destroy();
    return stands;
  });
});

/** How a watch was answered, and its end. */
interface Opened {
  readonly status: number;
  readonly retryAfter: string | undefined;
  end(): void;
}

function overHttps(url: string, options: RequestOptions): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(url, options, (answer) => {
      const { statusCode: status = 0, headers } = answer;
      answer.on('error', () => undefined).resume();
      resolve({ status, retryAfter: headers['retry-after'], end: () => outgoing.destroy() });
    });
    outgoing.on('error', reject).end();
  });
}

function overWebSocket(url: string, options: ClientOptions): Promise<Opened> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace('https', 'wss'), options);
    const end = () => socket.terminate();
    socket.on('open', () => resolve({ status: 200, retryAfter: undefined, end }));
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_request, { statusCode = 0, headers }) =>
      resolve({ status: statusCode, retryAfter: headers['retry-after'], end }),
    );
  });
}
