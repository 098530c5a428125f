// Controllers and scheduler as processes of their own: upstream's health and figures, told to those who may see them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { Figures } from '../../base/figures.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { FRONT_PROXY_NAME, loadCa, loadPair } from '../../cli/serve/certificates.ts';
import { ensureClusterFiles } from '../../cli/serve/cluster-files.ts';
import { MAX_COMPONENT_CONNECTIONS, serveComponent } from '../../cli/serve/component-server.ts';
import { serveApi, type ServedApi } from '../../cli/serve/control-plane.ts';
import type { DataPaths } from '../../cli/serve/data-directory.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { recordedLogger } from '../support/recorded-logger.ts';
import { until } from '../support/until.ts';

let folder: string;
let paths: DataPaths;
let api: ServedApi;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'components-'));
  const doors = { system: createLinuxSystem(), clock: systemClock, random: systemRandom };
  const made = await ensureClusterFiles({ dataDir: folder, port: 0 }, doors);
  ({ paths } = made);
  const { signal } = new AbortController();
  const context = {
    logger: silentLogger,
    signal,
    ready: () => undefined,
    farewell: () => undefined,
  };
  api = await serveApi(paths, made.facts, context);
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** Asks a component's port (`/healthz`, `POST /metrics`), with the certificate of a file in the data directory, or with headers and none. */
async function ask(port: number, asked: string, as?: string | OutgoingHttpHeaders) {
  const [path = '', method = 'GET'] = asked.split(' ').toReversed();
  const agent = new Agent({
    ca: loadCa(paths.pki),
    ...(typeof as === 'string' && loadPair(paths.pki, as)),
  });
  const headers = typeof as === 'object' ? as : {};
  try {
    return await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const url = `https://127.0.0.1:${port}${path}`;
      const outgoing = httpsRequest(url, { agent, method, headers }, (answer) => {
        text(answer).then((said) => resolve({ status: answer.statusCode, text: said }), reject);
      });
      outgoing.on('error', reject).end();
    });
  } finally {
    agent.destroy();
  }
}

/** A port that is free now, and that no connection is given meanwhile: the kernel takes those from 32768 on. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(systemRandom.next() * 15_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Starts one; `serves` resolves when its port does, and rejects when it ends before. */
function start(name: string, port: number) {
  const node = join('node_modules', '.bin', 'node');
  const flags = ['--data-dir', folder, '--secure-port', String(port)];
  const child = spawn(node, ['cli/pinnace.ts', name, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const serves = Promise.withResolvers<void>();
  child.once('exit', () => serves.reject(new Error(said)));
  serves.promise.catch(() => undefined);
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (said.includes('health and figures are served')) serves.resolve();
    });
  endings.push(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  return { child, said: () => said, serves: serves.promise };
}

describe.each([
  ['controllers', 'workqueue_depth'],
  ['scheduler', 'scheduler_pending_pods'],
])('pinnace %s', (name, figure) => {
  it('tells of its health to anybody, and shows its figures to whom the API server lets', async () => {
    const port = await freePort();
    await start(name, port).serves;
    await until(async () => (await ask(port, '/readyz')).status === 200);
    expect((await ask(port, '/healthz')).text).toBe('ok');
    expect((await ask(port, '/readyz?verbose')).text).toBe(
      '[+]ping ok\n[+]informer-sync ok\nreadyz check passed\n',
    );
    expect((await ask(port, '/metrics')).status).toBe(403);
    expect((await ask(port, '/metrics', 'scheduler')).status).toBe(403);
    const shown = await ask(port, '/metrics', 'admin');
    expect(shown.status).toBe(200);
    for (const each of [figure, 'rest_client_requests_total', 'process_cpu_seconds_total'])
      expect(shown.text).toMatch(new RegExp(`^${each}[{ ]`, 'm'));
  });

  it('says which port is taken, and the way out', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const { child, said } = start(name, port);
    // By then all that it said has come.
    await once(child, 'close');
    await new Promise((resolve) => holder.close(resolve));
    expect(said()).toMatch(new RegExp(`port ${port} for health.*EADDRINUSE.*--secure-port`));
  });
});

describe('The port of a component', () => {
  const inProcess = (user: { username: string; groups: string[] }) =>
    createInProcessTransport(api.server.handler, user, { userAgent: 'test' });
  async function served(
    user = { username: 'system:kube-scheduler', groups: [] as string[] },
    more: { requestMs?: number; logger?: Logger } = {},
  ) {
    let synced = false;
    const server = await serveComponent({
      port: 0,
      tls: { ...loadPair(paths.pki, 'apiserver'), clientCa: loadCa(paths.pki) },
      client: createClient(inProcess(user)),
      clock: systemClock,
      logger: silentLogger,
      figures: new Figures(),
      checks: [
        { name: 'ping', run: () => true },
        { name: 'informer-sync', probes: ['readyz'], run: () => synced },
      ],
      ...more,
    });
    endings.push(() => server.close());
    return { port: server.port, sync: () => (synced = true) };
  }

  it('is not ready until its caches are, and lives', async () => {
    const { port, sync } = await served();
    expect((await ask(port, '/readyz')).status).toBe(500);
    expect((await ask(port, '/livez')).text).toBe('ok');
    sync();
    expect((await ask(port, '/readyz')).text).toBe('ok');
  });

  it('tells of single checks as of figures: to those who may', async () => {
    const { port } = await served();
    const refused = await ask(port, '/livez/ping');
    expect([refused.status, JSON.parse(refused.text)]).toEqual([
      403,
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        reason: 'Forbidden',
        message: 'forbidden: User "system:anonymous" cannot get path "/livez/ping"',
        details: {},
        code: 403,
      },
    ]);
    expect((await ask(port, '/livez/ping', 'admin')).text).toBe('ok');
    expect((await ask(port, '/nope', 'admin')).status).toBe(404);
    expect((await ask(port, 'POST /metrics', 'admin')).status).toBe(405);
  });

  it('lets everybody see what system:unauthenticated may, and takes no wrong credential for none', async () => {
    const name = 'figures-for-all';
    await createClient(
      inProcess({ username: 'admin', groups: ['system:masters'] }),
    ).transport.request({
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      body: {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: {
          apiGroup: 'rbac.authorization.k8s.io',
          kind: 'ClusterRole',
          name: 'system:monitoring',
        },
        subjects: [
          { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:unauthenticated' },
        ],
      },
    });
    const { port } = await served();
    expect((await ask(port, '/metrics')).status).toBe(200);
    expect((await ask(port, '/other')).status).toBe(403);
    // Of an authority of this cluster that does not vouch for callers.
    for (const as of [{ authorization: 'Bearer wrong' }, FRONT_PROXY_NAME]) {
      const wrong = await ask(port, '/metrics', as);
      expect([wrong.status, JSON.parse(wrong.text).message]).toEqual([401, 'Unauthorized']);
      expect((await ask(port, '/healthz', as)).text).toBe('ok');
    }
    // The verb is the method: who may get may not ask for the head alone, as upstream.
    expect((await ask(port, 'HEAD /metrics')).status).toBe(403);
    expect(await ask(port, 'HEAD /metrics', 'admin')).toEqual({ status: 200, text: '' });
  });

  it('takes nobody for known whose token cannot be asked about, and says so', async () => {
    const { logger, lines } = recordedLogger();
    const { port } = await served({ username: 'nobody', groups: [] }, { logger });
    expect((await ask(port, '/metrics', { authorization: 'Bearer any' })).status).toBe(401);
    expect(lines).toMatchObject([
      {
        level: 'warn',
        message: 'who asks for health or figures cannot be found out',
        fields: { err: { reason: 'Forbidden' } },
      },
    ]);
  });

  it('has room again once the time is over of those who never say anything', async () => {
    const { port } = await served(undefined, { requestMs: 1_000 });
    const silent = Array.from({ length: MAX_COMPONENT_CONNECTIONS - 1 }, () =>
      connect(port, '127.0.0.1').on('error', () => undefined),
    );
    const half = connectTls({ port, host: '127.0.0.1', ca: loadCa(paths.pki) });
    half.on('error', () => undefined).write('GET /healthz HTTP/1.1\r\n');
    // Some may meet a reset, or an end in the middle of the handshake: that is a failure to `once`.
    const closed = [...silent, half].map(
      (socket) => new Promise((resolve) => socket.resume().once('close', resolve)),
    );
    await Promise.all(closed);
    await until(() =>
      ask(port, '/healthz').then(
        ({ text: said }) => said === 'ok',
        () => false,
      ),
    );
  });

  it('lets nobody in whose rights cannot be asked for', async () => {
    const { port } = await served({ username: 'nobody', groups: [] });
    expect((await ask(port, '/metrics', 'scheduler')).status).toBe(500);
    expect((await ask(port, '/metrics')).status).toBe(500);
    expect((await ask(port, '/metrics', 'admin')).status).toBe(200);
    expect((await ask(port, '/healthz')).text).toBe('ok');
  });
});
