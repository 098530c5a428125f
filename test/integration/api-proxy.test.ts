// Proxies of nodes, pods and Services over real sockets: caller, API server, a node's agent, a program in a pod.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, request as httpsRequest } from 'node:https';
import { type AddressInfo, createServer as createConnectionServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { BODY_LIMIT_BYTES } from '../../apiserver/options.ts';
import { aProxiedNode, type ProxiedNode } from '../support/proxied-node.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const NS = '/api/v1/namespaces/default';
const POD_IP = '10.77.0.2';
const PAGE = '<a href="/next?x=1">n</a><!-- <a href="/c"> --><img src=/i.png><a href="//else/y">';

let server: TestServer;
let node: ProxiedNode;
let plain: Server;
let secure: Server;
let port: number;
let securePort: number;
/** Requests that are held open by `/hold`, by how they ended. */
let held = 0;

beforeAll(async () => {
  node = await aProxiedNode();
  plain = createServer(served).on('upgrade', echoUpgrade);
  secure = createSecureServer(node.pair, served);
  port = await listening(plain);
  securePort = await listening(secure);
  server = await startTestServer({ nodeDialer: node.dialer });
  await aNode('n1', { address: '127.0.0.1', port: node.port });
  await create('serviceaccounts', { metadata: { name: 'default' } });
  await aPod('web', { ip: POD_IP, port });
  await create('services', {
    metadata: { name: 'web' },
    spec: {
      ports: [
        { name: 'http', port: 80, targetPort: port },
        { name: 'tls', port: 443, targetPort: securePort },
      ],
    },
  });
  await endpointsOf('web', { name: 'web' });
});
afterAll(async () => {
  await server.close();
  await node.close();
  for (const each of [plain, secure]) each.closeAllConnections();
  plain.close();
  secure.close();
});

const listening = (which: Server) =>
  new Promise<number>((resolve) =>
    which.listen(0, '127.0.0.1', () => resolve((which.address() as AddressInfo).port)),
  );

function served(request: IncomingMessage, response: ServerResponse): void {
  serve(request, response).catch(() => response.destroy());
}

/** The program in the pod. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = '', method = '', headers } = request;
  if (url.startsWith('/away')) return void response.writeHead(302, { location: '/login' }).end();
  if (url.startsWith('/abroad'))
    return void response.writeHead(302, { location: 'https://else/x' }).end();
  if (url.startsWith('/page'))
    return void response.setHeader('content-type', 'text/html; charset=utf-8').end(PAGE);
  if (url.startsWith('/packed'))
    return void response
      .writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' })
      .end(gzipSync(PAGE));
  if (url.startsWith('/odd'))
    return void response
      .writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'constructor' })
      .end(PAGE);
  if (url.startsWith('/hold')) {
    held++;
    response.on('close', () => held--);
    return void response.write('held\n');
  }
  if (url.startsWith('/echo')) return void request.pipe(response);
  let size = 0;
  for await (const chunk of request) size += (chunk as Buffer).length;
  response
    .writeHead(200, {
      'content-type': 'application/json',
      'set-cookie': ['a=1', 'b=2'],
      'keep-alive': 'timeout=9',
      'access-control-allow-origin': '*',
    })
    .end(JSON.stringify({ url, method, headers, size }));
}

function echoUpgrade(request: IncomingMessage, socket: Duplex) {
  if (request.url === '/refused') return void socket.end('HTTP/1.1 418 No\r\n\r\nno tea');
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: Upgrade\r\n\r\nhi',
  );
  socket.pipe(socket);
}

async function create(plural: string, body: object) {
  const answer = await server.call('POST', `${NS}/${plural}`, { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.json();
}

async function setStatus(path: string, status: object) {
  const headers = { 'content-type': 'application/merge-patch+json' };
  const answer = await server.call('PATCH', `${path}/status`, { body: { status }, headers });
  expect(answer.status, answer.text).toBe(200);
  return answer.json();
}

async function aNode(name: string, { address, port }: { address: string; port: number }) {
  await server.call('POST', '/api/v1/nodes', { body: { metadata: { name } } });
  await setStatus(`/api/v1/nodes/${name}`, {
    addresses: [{ type: 'InternalIP', address }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  });
}

/** A pod in the API and, at the loopback, with the agent. */
async function aPod(name: string, { ip, port }: { ip: string; port?: number }) {
  const ports = port === undefined ? {} : { ports: [{ containerPort: port }] };
  const spec = { nodeName: 'n1', containers: [{ name: 'a', image: 'a', ...ports }] };
  await create('pods', { metadata: { name }, spec });
  const status = ip === '' ? {} : { podIP: ip, podIPs: [{ ip }] };
  const pod = (await setStatus(`${NS}/pods/${name}`, status)) as Pod;
  node.pods.set(`default/${name}`, pod);
}

const endpointsOf = (service: string, ref: object | undefined, ip = POD_IP) =>
  create('endpoints', {
    metadata: { name: service },
    subsets: [
      {
        addresses: [
          { ip, ...(ref && { targetRef: { kind: 'Pod', namespace: 'default', ...ref } }) },
        ],
        ports: [
          { name: 'http', port },
          { name: 'tls', port: securePort },
        ],
      },
    ],
  });

const pod = (rest: string) => `${NS}/pods/web/proxy${rest}`;
const get = (path: string, headers = {}) => server.call('GET', path, { headers });

describe('What is reached', () => {
  it.each([
    ['a pod at the port that it declares', () => `pods/web/proxy/x`],
    ['a pod at a port of one’s own', () => `pods/web:${port}/proxy/x`],
    ['a pod over TLS', () => `pods/https:web:${securePort}/proxy/x`],
    ['a Service by its port’s name', () => `services/web:http/proxy/x`],
    ['a Service by its port’s number', () => `services/web:80/proxy/x`],
    ['a Service over TLS', () => `services/https:web:tls/proxy/x`],
  ])('%s', async (_what, path) => {
    const answer = await get(`${NS}/${path()}`);
    expect([answer.status, answer.json().url], answer.text).toEqual([200, '/x']);
  });

  it('a Service whose endpoints only an EndpointSlice tells', async () => {
    await create('services', { metadata: { name: 'sliced' }, spec: { ports: [{ port: 80 }] } });
    const body = {
      metadata: { name: 'sliced-a', labels: { 'kubernetes.io/service-name': 'sliced' } },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: [POD_IP],
          targetRef: { kind: 'Pod', namespace: 'default', name: 'web' },
        },
      ],
      ports: [{ port }],
    };
    const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
    const made = await server.call('POST', slices, { body });
    expect(made.status, made.text).toBe(201);
    const answer = await get(`${NS}/services/sliced:80/proxy/x`);
    expect([answer.status, answer.json().url], answer.text).toEqual([200, '/x']);
  });

  it('a node’s agent, by its name, by its port and as the server', async () => {
    for (const name of ['n1', `n1:${node.port}`, `https:n1:${node.port}`]) {
      const answer = await get(`/api/v1/nodes/${name}/proxy/stats/summary`);
      expect([answer.status, answer.json().node.nodeName], answer.text).toEqual([200, 'n1']);
    }
    expect((await get('/api/v1/nodes/n1/proxy/nothing')).status).toBe(404);
  });
});

describe('The way there', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s is passed on',
    async (method) => {
      const body = method === 'GET' ? {} : { body: 'some words' };
      const answer = await server.call(method, pod('/a'), body);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json()).toMatchObject({ method, size: method === 'GET' ? 0 : 10 });
    },
  );

  it('HEAD is passed on, and answered without a body', async () => {
    const answer = await server.call('HEAD', pod('/a'));
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('path and query arrive as they were sent', async () => {
    const rest = '/a%2Fb/%C3%A9//c/?q=a+b&q=%26&empty';
    expect((await get(pod(rest))).json().url).toBe(rest);
  });

  it('headers arrive, but for the credentials and what is meant for one connection', async () => {
    const { headers } = (
      await get(pod('/a'), {
        'x-own': 'yes',
        cookie: 'c=1',
        te: 'trailers',
        'x-hop': 'no',
        connection: 'x-hop',
        'x-remote-user': 'root',
        'sec-websocket-protocol': 'base64url.bearer.authorization.k8s.io.abc, mine',
        'x-forwarded-for': '1.2.3.4',
      })
    ).json();
    expect(headers).toMatchObject({
      'x-own': 'yes',
      cookie: 'c=1',
      'sec-websocket-protocol': 'mine',
      'x-forwarded-for': '1.2.3.4, 127.0.0.1',
      'x-forwarded-uri': pod('/a'),
      'x-forwarded-proto': 'https',
    });
    for (const name of ['te', 'x-hop', 'x-remote-user', 'authorization'])
      expect(headers).not.toHaveProperty(name);
  });

  it('a bearer token and whom the caller acts as are not told', async () => {
    const headers = { 'impersonate-user': 'ann', 'impersonate-group': 'system:masters' };
    const told = (await get(pod('/a'), headers)).json().headers;
    expect(Object.keys(told).filter((name) => name.startsWith('impersonate'))).toEqual([]);
  });

  it('a body larger than any object goes through, both ways', async () => {
    const body = Buffer.alloc(4 * BODY_LIMIT_BYTES, 'x');
    const answer = await server.call('POST', pod('/echo'), { body });
    expect([answer.status, answer.text.length]).toEqual([200, body.length]);
  });

  it('bytes pass as they come, and a caller that leaves ends the request in the pod', async () => {
    const gone = new AbortController();
    const answer = await server.open(pod('/hold'), gone.signal);
    answer.on('error', () => undefined);
    const [first] = await new Promise<Buffer[]>((resolve) =>
      answer.once('data', (chunk: Buffer) => resolve([chunk])),
    );
    expect(String(first)).toBe('held\n');
    expect(held).toBe(1);
    gone.abort();
    await until(() => held === 0);
  });
});

describe('The way back', () => {
  it('cookies stay apart, and headers of one connection or of other origins stay away', async () => {
    const { headers } = await get(pod('/a'));
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['keep-alive']).not.toBe('timeout=9');
  });

  it('a root without its slash is moved to it, with the query', async () => {
    const answer = await get(pod('?a=1'));
    expect([answer.status, answer.headers.location]).toEqual([301, pod('/?a=1')]);
    expect((await server.call('POST', pod(''), { body: 'x' })).json().url).toBe('/');
  });

  it('redirects lead through the proxy, unless they lead elsewhere', async () => {
    expect((await get(pod('/away'))).headers.location).toBe(pod('/login'));
    expect((await get(pod('/abroad'))).headers.location).toBe('https://else/x');
  });

  it('links of a page lead through the proxy, packed or not', async () => {
    const wanted = PAGE.replace('"/next', `"${pod('/next')}`).replace('src=/i', `src=${pod('/i')}`);
    for (const path of ['/page', '/packed']) {
      const answer = await get(pod(path));
      expect(answer.text).toBe(wanted);
      expect(answer.headers['content-encoding']).toBeUndefined();
    }
  });
});

describe('A page in an encoding that nobody knows', () => {
  it('is passed on as it is', async () => {
    const answer = await get(pod('/odd'));
    expect([answer.status, answer.text]).toEqual([200, PAGE]);
  });
});

describe('Another protocol', () => {
  /** Asks for an upgrade; the answer, and what was said on the connection until `count` bytes. */
  const upgrade = (path: string, words: string, count: number) =>
    new Promise<{ status: number; said: string }>((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'echo' };
      const outgoing = httpsRequest(server.url + path, { ...server.tls, headers, agent: false });
      outgoing.on('error', reject);
      outgoing.on('response', (answer) => {
        let said = '';
        answer.on('data', (chunk) => (said += String(chunk)));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, said }));
      });
      outgoing.on('upgrade', (answer, socket, head) => {
        let said = head.toString();
        socket.write(words);
        const look = () => {
          if (said.length < count) return;
          socket.destroy();
          resolve({ status: answer.statusCode ?? 0, said });
        };
        socket.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          look();
        });
        look();
      });
      outgoing.end();
    });

  it('is spoken from end to end', async () => {
    expect(await upgrade(pod('/'), 'hello', 7)).toEqual({ status: 101, said: 'hihello' });
  });

  it('that the pod refuses is refused in its words', async () => {
    expect(await upgrade(pod('/refused'), '', 0)).toEqual({ status: 418, said: 'no tea' });
  });
});

describe('What cannot be reached', () => {
  const refused = async (path: string) => {
    const answer = await get(path);
    expect(answer.text).toMatch(/^\{/);
    const { reason, message } = answer.json();
    return [answer.status, reason, message];
  };

  it.each([
    ['services/none/proxy/', 404, 'services "none" not found'],
    ['pods/none/proxy/', 404, 'pods "none" not found'],
    ['services/web:81/proxy/', 503, 'no service port 81 found for service "web"'],
    ['services/web:other/proxy/', 503, 'no endpoints available for service "web"'],
    ['services/ftp:web:80/proxy/', 400, 'invalid service request "ftp:web:80"'],
    ['pods/web:http/proxy/', 400, 'invalid port "http": must be a number between 1 and 65535'],
  ])('%s', async (path, code, message) => {
    const [status, , said] = await refused(`${NS}/${path}`);
    expect([status, said]).toEqual([code, message]);
  });

  it('a Service without Endpoints, or with endpoints that are not pods of its own', async () => {
    const message = (name: string) => `no endpoints available for service "${name}"`;
    for (const [name, ref, ip] of [
      ['bare', undefined, POD_IP],
      ['other', { name: 'web' }, '10.77.0.9'],
      ['away', { name: 'web', namespace: 'kube-system' }, POD_IP],
    ] as const) {
      await create('services', {
        metadata: { name },
        spec: { ports: [{ name: 'http', port: 80 }] },
      });
      expect(await refused(`${NS}/services/${name}:http/proxy/`)).toEqual([
        503,
        'ServiceUnavailable',
        message(name),
      ]);
      await endpointsOf(name, ref, ip);
      expect((await refused(`${NS}/services/${name}:http/proxy/`))[2]).toBe(message(name));
    }
  });

  it('a port that nobody listens on, in the words that clients know', async () => {
    expect(await refused(`${NS}/pods/web:1/proxy/`)).toEqual([
      503,
      'ServiceUnavailable',
      'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused',
    ]);
  });

  it.each([
    ['000 None', 'malformed HTTP status code "0"'],
    ['099 Odd', 'malformed HTTP status code "99"'],
    ['101 Switching Protocols', 'malformed HTTP status code "101"'],
    [
      '101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade',
      'an upgrade that nobody asked for',
    ],
  ])('a program that answers %s', async (line, why) => {
    const odd = createConnectionServer((socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 ${line}\r\n\r\n`)).on('error', () => {});
    });
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    const at = (odd.address() as AddressInfo).port;
    const answer = await refused(`${NS}/pods/web:${at}/proxy/`);
    odd.close();
    expect(answer).toEqual([503, 'ServiceUnavailable', `error trying to reach service: ${why}`]);
  });

  it('a pod that has another one’s name by now', async () => {
    await aPod('renewed', { ip: POD_IP, port });
    const known = node.pods.get('default/renewed') as Pod;
    const metadata = { ...known.metadata, uid: 'another' };
    node.pods.set('default/renewed', { ...known, metadata });
    expect(await refused(`${NS}/pods/renewed/proxy/`)).toEqual([
      503,
      'ServiceUnavailable',
      'error trying to reach service: pod "default/renewed" is not on this node',
    ]);
  });

  it('a pod whose node has not given it an address, whatever its status says', async () => {
    await aPod('early', { ip: POD_IP, port });
    node.unsettled.add('early');
    expect(await refused(`${NS}/pods/early/proxy/`)).toEqual([
      503,
      'ServiceUnavailable',
      'error trying to reach service: pod "default/early" has no address yet',
    ]);
  });

  it.each([
    ['loopback', '127.0.0.1'],
    ['link-local', '169.254.169.254'],
    ['missing', ''],
  ])('a pod whose address is %s', async (name, ip) => {
    await aPod(name, { ip });
    const [status, reason, message] = await refused(`${NS}/pods/${name}:${port}/proxy/`);
    expect([status, reason]).toEqual([400, 'BadRequest']);
    expect(message).toContain('address not allowed');
  });

  it('a node’s own ports on an address that each host has', async () => {
    expect(await refused(`/api/v1/nodes/n1:${port}/proxy/`)).toEqual([
      400,
      'BadRequest',
      'address not allowed',
    ]);
  });

  it('anything, for who may not; and a body that was refused is not waited for', async () => {
    const body = Buffer.alloc(2 * BODY_LIMIT_BYTES);
    const outcome = await server
      .call('POST', pod('/echo'), { body, as: 'nobody' })
      .then(({ status, text }) => [status, text])
      // The rest of the body may meet a connection that is closed already.
      .catch((error: NodeJS.ErrnoException) => [403, error.code]);
    expect(outcome[0]).toBe(403);
    const answer = await server.call('GET', pod('/'), { as: 'nobody' });
    expect(answer.json().message).toContain('cannot get resource "pods/proxy"');
  });
});
