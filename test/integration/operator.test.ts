// Operators as whole programs over HTTPS: how they begin, what they show, how they stop, and what keeps them from running.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { ConfigMaps, Pods, RoleBindings, Roles } from '../../api/kinds.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { operate } from '../../controllers/framework/operator/operate.ts';
import { OperatorFailure } from '../../controllers/framework/operator/operator-failure.ts';
import type { OperatorOptions } from '../../controllers/framework/operator/options.ts';
import { type ControllerFactory, done, source } from '../../controllers/framework/reconciler.ts';
import { recordedLogger } from '../support/recorded-logger.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let server: TestServer;
let folder: string;
const endings: (() => unknown)[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operator-'));
  server = await startTestServer();
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
  await server.close();
  rmSync(folder, { recursive: true });
});

async function aClient() {
  const { transport: options } = await loadKubeconfig(server.kubeconfig);
  const transport = createHttpTransport(options);
  endings.push(() => transport.close());
  return createClient(transport);
}

/** Starts an operator; by the server's kubeconfig unless told. */
function start(options: Partial<OperatorOptions>, environment: Record<string, string> = {}) {
  const { logger, lines } = recordedLogger();
  const stop = new AbortController();
  const running = operate(
    { name: 'test-operator', controllers: [], ...options },
    {
      environment: { KUBECONFIG: server.kubeconfig, ...environment },
      home: folder,
      hostname: 'here',
      clock: systemClock,
      random: systemRandom,
      logger,
    },
    stop.signal,
  );
  const end = async () => {
    stop.abort(new Error('the test is over'));
    await running.catch(() => undefined);
  };
  endings.push(end);
  const port = () =>
    lines.find(({ message }) => message === 'the operator runs')?.fields['healthPort'];
  const ask = async (path: string) => {
    await until(() => port() !== undefined);
    const answer = await fetch(`http://127.0.0.1:${String(port())}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  return { running, stop, end, lines, ask };
}

/** A kubeconfig like the server's, with another cluster or user. */
function kubeconfig(change: { cluster?: object; user?: object }): Record<string, string> {
  const config = parse(readFileSync(server.kubeconfig, 'utf8')) as Kubeconfig;
  const [{ cluster }, { user }] = [config.clusters[0], config.users[0]];
  config.clusters[0].cluster = { ...cluster, ...change.cluster };
  config.users[0].user =
    change.user && !('as' in change.user) ? change.user : { ...user, ...change.user };
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, stringify(config));
  return { KUBECONFIG: path };
}

interface Kubeconfig {
  readonly clusters: [{ cluster: object }];
  readonly users: [{ user: object }];
}

const health = { port: 0, host: '127.0.0.1' };

describe('an operator', () => {
  it('reconciles, tells how it is and what it did, and stops in order', async () => {
    const client = await aClient();
    const seen: string[] = [];
    const watcher = controllerFor(ConfigMaps)
      .named('watcher')
      .reconcile(({ metadata }) => {
        seen.push(metadata.name ?? '');
        return Promise.resolve();
      });
    const { ask, end, running } = start({ controllers: [watcher], health });
    await until(async () => (await ask('/readyz')).status === 200);
    expect(await ask('/readyz')).toMatchObject({ text: '[+]informers\n' });
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect((await ask('/else')).status).toBe(404);
    await client.resource(ConfigMaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'made', namespace: 'default' },
    });
    await until(() => seen.includes('made'));
    const { text } = await ask('/metrics');
    for (const line of [
      /^controller_runtime_reconcile_total\{controller="watcher",result="success"\} [1-9]/m,
      /^controller_runtime_max_concurrent_reconciles\{controller="watcher"\} 1$/m,
      /^workqueue_adds_total\{name="watcher"\} [1-9]/m,
      /^rest_client_requests_total\{code="200",method="GET",host="127.0.0.1:\d+"\} [1-9]/m,
    ])
      expect(text).toMatch(line);
    await end();
    await running;
    await expect(ask('/healthz')).rejects.toThrow();
  });

  it('is ready while another copy leads, and takes over once that has stopped', async () => {
    const acted: string[] = [];
    const copy = (name: string) => {
      const controllers = [
        controllerFor(ConfigMaps).reconcile(() => {
          acted.push(name);
          return Promise.resolve();
        }),
      ];
      const times = { namespace: 'default', name: 'lock', identity: name };
      return start({ controllers, health, leaderElection: times });
    };
    const client = await aClient();
    const config = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
    };
    await client.resource(ConfigMaps).create(config);
    const first = copy('first');
    await until(() => acted.includes('first'));
    const second = copy('second');
    await until(async () => (await second.ask('/readyz')).status === 200);
    expect((await second.ask('/metrics')).text).toMatch(
      /^leader_election_master_status\{name="lock"\} 0$/m,
    );
    expect((await first.ask('/metrics')).text).toMatch(
      /^leader_election_master_status\{name="lock"\} 1$/m,
    );
    expect(acted).not.toContain('second');
    await first.end();
    await until(() => acted.includes('second'));
  });

  it('runs with a Role in its namespace alone, where it is kept to that', async () => {
    const client = await aClient();
    const rights = { verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['configmaps'] };
    const metadata = { name: 'reader', namespace: 'default' };
    const group = 'rbac.authorization.k8s.io';
    await client
      .resource(Roles)
      .create({ apiVersion: `${group}/v1`, kind: 'Role', metadata, rules: [rights] });
    await client.resource(RoleBindings).create({
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name: 'reader' },
      subjects: [{ apiGroup: group, kind: 'User', name: 'somebody' }],
    });
    for (const namespace of ['kube-system', 'default'])
      await client
        .resource(ConfigMaps)
        .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace } });
    const seen: string[] = [];
    const reader = controllerFor(ConfigMaps).reconcile((_, { key }) => {
      seen.push(key);
      return Promise.resolve();
    });
    const somebody = kubeconfig({ user: { as: 'somebody' } });
    const kept = { controllers: [reader], namespaces: ['default'] };
    const { running, end } = start(kept, somebody);
    await Promise.race([running, until(() => seen.includes('default/made'))]);
    await end();
    await running;
    expect(seen).toContain('default/made');
    expect(seen.every((key) => key.startsWith('default/'))).toBe(true);
  });

  it.each([
    ['from the first', '/nothing'],
    ['once it has said what it is', '/version'],
  ])('stops at once where the server is silent %s', async (_name, answered) => {
    const asked: string[] = [];
    const silent = createServer(({ url = '' }, response) => {
      if (url === answered) response.end('{"gitVersion":"v1.36.0"}');
      else asked.push(url);
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    endings.push(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const environment = kubeconfig({ cluster: { server: `http://127.0.0.1:${port}` } });
    const controllers = [controllerFor(ConfigMaps).reconcile(() => Promise.resolve())];
    const { running, stop } = start({ controllers }, environment);
    endings.push(() => silent.closeAllConnections());
    await until(() => asked.length > 0);
    stop.abort(new Error('SIGTERM'));
    await running;
  });

  it('lets its controllers wait for what runs beside them, and ends with it', async () => {
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const controllers = [
      controllerFor(ConfigMaps).reconcile(() => {
        order.push('reconcile');
        return Promise.resolve();
      }),
    ];
    const failing = Promise.withResolvers<void>();
    const webhooks = {
      name: 'webhooks',
      async run({ ready }: { readonly ready: () => void }) {
        await gate.promise;
        order.push('ready');
        ready();
        await failing.promise;
      },
    };
    const client = await aClient();
    await client.resource(ConfigMaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
    });
    const { ask, running } = start({ controllers, webhooks, health });
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      text: '[-]webhooks\n[-]informers\n',
    });
    gate.resolve();
    await until(() => order.includes('reconcile'));
    expect(order[0]).toBe('ready');
    failing.reject(new Error('the webhooks are gone'));
    await expect(running).rejects.toThrow('the webhooks are gone');
  });
});

describe('an operator that cannot run says why', () => {
  const refusal = async (
    options: Partial<OperatorOptions>,
    environment: Record<string, string> = {},
  ) => {
    const error: unknown = await start(options, environment).running.catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(OperatorFailure);
    return (error as Error).message;
  };

  it('where there is no cluster to be found', async () => {
    expect(await refusal({}, { KUBECONFIG: '' })).toMatch(
      /^there is no cluster to run on: .*no .*\.kube\/config; set KUBECONFIG to the path of a kubeconfig$/,
    );
    expect(await refusal({}, { KUBECONFIG: '/nowhere' })).toMatch(
      /kubeconfig \/nowhere: there is no such file/,
    );
  });

  it('where the server is away, is none of Kubernetes, or does not know who asks', async () => {
    const elsewhere = kubeconfig({ cluster: { server: 'https://127.0.0.1:1' } });
    expect(await refusal({}, elsewhere)).toMatch(
      /^The connection to the server 127.0.0.1:1 was refused/,
    );
    const other = createServer((_, response) => response.end('<html>hello</html>'));
    other.listen(0, '127.0.0.1');
    endings.push(() => new Promise((resolve) => other.close(resolve)));
    await until(() => other.listening);
    const { port } = other.address() as AddressInfo;
    const wrong = kubeconfig({ cluster: { server: `http://127.0.0.1:${port}` } });
    expect(await refusal({}, wrong)).toMatch(
      /^http:.* is no Kubernetes API server: .*; check the server/,
    );
    const unknown = kubeconfig({ user: { token: 'nonsense' } });
    expect(await refusal({}, unknown)).toMatch(/does not know who asks; check the user/);
  });

  it('where kinds are missing or may not be read: all of them, each with what to do', async () => {
    const backups = {
      group: 'example.com',
      version: 'v1',
      kind: 'Backup',
      plural: 'backups',
      namespaced: true,
    };
    const none = () => Promise.resolve();
    const controllers = [
      controllerFor(backups).reconcile(none),
      controllerFor(Pods).owns(ConfigMaps).reconcile(none),
    ];
    expect(await refusal({ controllers })).toBe(
      'the cluster has no backups.example.com in v1; install its definition first: kubectl apply -f the CustomResourceDefinition backups.example.com',
    );
    const nobody = kubeconfig({ user: { as: 'somebody' } });
    const lines = (await refusal({ controllers: controllers.slice(1) }, nobody)).split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /"somebody" cannot list resource "pods".*; give its account a ClusterRole with the rule \{"apiGroups":\[""\],"resources":\["pods"\],"verbs":\["get","list","watch"\]\}$/,
    );
  });

  it('where some namespaces are read and no others: of these alone', async () => {
    const here = { namespaces: ['here', 'there'] };
    const narrow: ControllerFactory = () => ({
      name: 'narrow',
      sources: [source({ ref: Pods, scope: here })],
      reconcile: () => Promise.resolve(done),
    });
    const nobody = kubeconfig({ user: { as: 'somebody' } });
    const wide = controllerFor(Pods).reconcile(() => Promise.resolve());
    for (const options of [{ controllers: [narrow] }, { controllers: [wide], ...here }])
      expect((await refusal(options, nobody)).split('\n')).toEqual([
        expect.stringMatching(/in the namespace "here"; give its account a Role in here with/),
        expect.stringMatching(/in the namespace "there"; give its account a Role in there with/),
      ]);
  });

  it('gives controllers that are made to see what they read all that they get when they run', async () => {
    const INFORMERS = ['informer', 'release', 'observeWrite', 'observeDelete', 'synced'] as const;
    const told: string[] = [];
    const careful: ControllerFactory = ({ informers }) => {
      for (const name of INFORMERS) told.push(`${name} ${typeof informers[name]}`);
      const sources = [source({ ref: Pods })];
      return { name: 'careful', sources, reconcile: () => Promise.resolve(done) };
    };
    const nobody = kubeconfig({ user: { as: 'somebody' } });
    expect(await refusal({ controllers: [careful] }, nobody)).toMatch(
      /cannot list resource "pods"/,
    );
    expect(told).toEqual(INFORMERS.map((name) => `${name} function`));
  });

  it('where its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    endings.push(() => new Promise((resolve) => other.close(resolve)));
    await until(() => other.listening);
    const { port } = other.address() as AddressInfo;
    const sockets = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    expect(await refusal({ health: { port, host: '127.0.0.1' } })).toBe(
      `the health port ${port} on 127.0.0.1 is taken; name another by health: { port }`,
    );
    await until(() => sockets() <= before);
  });
});

describe('the process of an operator', () => {
  it('outlives a forgotten promise, and ends at once at the second signal where a reconcile does not end', async () => {
    const client = await aClient();
    await client.resource(ConfigMaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
    });
    const program = join(import.meta.dirname, '../support/stuck-operator.ts');
    const env = { ...process.env, KUBECONFIG: server.kubeconfig };
    const child = spawn('node_modules/.bin/node', ['--no-warnings', program], { env });
    endings.push(() => child.kill('SIGKILL'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    const closed = once(child, 'close');
    await until(() => /nobody awaited.*/.test(said) && /"msg":"stuck"/.test(said));
    expect(said).toMatch(/"message":"forgotten"/);
    child.kill('SIGTERM');
    await until(() => /stopping; a second signal ends the process at once/.test(said));
    // It waits for the reconcile, though nothing else holds the process up.
    await Promise.race([closed, until(() => said.includes('still there'))]);
    child.kill('SIGTERM');
    expect(await closed).toEqual([null, 'SIGTERM']);
  });
});
