// What `pinnace describe`, `logs` and `top` tell people, and what they keep to themselves.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { NodeDialer } from '../../apiserver/handlers/node-dialer.ts';
import { LAST_APPLIED } from '../../cli/commands/apply-files.ts';
import { runPinnace } from '../support/pinnace.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
/** A node whose logs say what was asked of it. */
const echo: NodeDialer = {
  request: (_, path) =>
    Promise.resolve({
      status: 200,
      contentType: 'text/plain',
      body: (async function* () {
        yield await Promise.resolve(Buffer.from(`${path}\n`));
      })(),
    }),
  upgrade: () => Promise.reject(new Error('this node only has logs')),
  pass: () => Promise.reject(new Error('this node only has logs')),
};
const pinnace = (...args: string[]) => runPinnace(args, { kubeconfig: server.kubeconfig });
const create = async (path: string, body: object) => {
  const { status, text } = await server.call('POST', path, { body });
  expect(status, text).toBeLessThan(300);
};
const core = (plural: string) => `/api/v1/namespaces/default/${plural}`;
const pod = (name: string, labels: object, containers = ['main']) =>
  create(core('pods'), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { nodeName: 'n1', containers: containers.map((each) => ({ name: each, image: 'x' })) },
  });

beforeAll(async () => {
  // The server's time stands still: figures are never too old to be shown, however slow the host is.
  server = await startTestServer({ nodeDialer: echo, clock: new VirtualClock(Date.now()) });
  await create('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const status = {
    allocatable: { cpu: '2', memory: '1Gi', pods: '9' },
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
  };
  const headers = { 'content-type': 'application/merge-patch+json' };
  await server.call('PATCH', '/api/v1/nodes/n1/status', { body: { status }, headers });
  await create(core('serviceaccounts'), {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  });
  await create(core('secrets'), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'door', annotations: { [LAST_APPLIED]: '{"data":"sesame"}', note: 'kept' } },
    stringData: { word: 'sesame', other: 'é' },
  });
  await create(core('configmaps'), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'door-1', labels: { a: 'b' }, annotations: { [LAST_APPLIED]: '{}' } },
    data: { colour: 'green' },
  });
  await pod('web-1', { app: 'web' });
  await pod('web-2', { app: 'web' });
  await pod('twin', { app: 'twin' }, ['left', 'right']);
  await create('/apis/apps/v1/namespaces/default/deployments', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'main', image: 'x' }] },
      },
    },
  });
});
afterAll(() => server.close());

describe('pinnace describe', () => {
  it('shows of a Secret how long its values are, never the values', async () => {
    const { code, stdout } = await pinnace('describe', 'secret', 'door');
    expect(code).toBe(0);
    expect(stdout).toContain('\nType:  Opaque\n\nData\n====\nother:  2 bytes\nword:  6 bytes\n');
    expect(stdout).toContain('note=kept');
    expect(stdout).not.toMatch(/sesame|c2VzYW1l|last-applied/);
  });

  it('leaves out what an apply noted down, of every kind', async () => {
    const { stdout } = await pinnace('describe', 'cm', 'door-1');
    expect(stdout).toContain('colour: green');
    expect(stdout).toMatch(/^Annotations: +<none>$/m);
    expect(stdout).toMatch(/^Events: +<none>$/m);
  });

  it('takes the beginning of a name, and labels', async () => {
    expect((await pinnace('describe', 'cm', 'doo')).stdout).toMatch(/^Name: +door-1$/m);
    expect((await pinnace('describe', 'cm', '-l', 'a=b')).stdout).toMatch(/^Name: +door-1$/m);
    expect((await pinnace('describe', 'cm', '-l', 'a=c')).stderr).toBe(
      'No resources found in default namespace.\n',
    );
  });

  it('shows what is there, and names what is not', async () => {
    const { code, stdout, stderr } = await pinnace('describe', 'cm', 'nope', 'door-1');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'Error from server (NotFound): configmaps "nope" not found\n',
    });
    expect(stdout).toMatch(/^Name: +door-1$/m);
  });
});

describe('pinnace logs', () => {
  it('takes a pod behind a workload, and says which', async () => {
    const { code, stdout, stderr } = await pinnace('logs', 'deploy/web');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Found 2 pods, using pod/web-1\n' });
    expect(stdout).toContain('/web-1/main');
    const named = await pinnace('logs', 'pod/web-2');
    expect(named).toMatchObject({ code: 0, stderr: '' });
    expect(named.stdout).toContain('/web-2/main');
  });

  it('goes through every pod of a selector, ten lines of each unless told', async () => {
    const { code, stdout } = await pinnace('logs', '-l', 'app=web');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^.*\/web-1\/main.*tailLines=10.*\n.*\/web-2\/main.*tailLines=10.*\n$/);
    expect((await pinnace('logs', '-l', 'app=web', '--tail=3')).stdout).toContain('tailLines=3');
    expect((await pinnace('logs', '-l', 'app=none')).stderr).toContain('No resources found');
  });

  it('says which of several containers it takes', async () => {
    const { stdout, stderr } = await pinnace('logs', 'twin');
    expect(stderr).toBe('Defaulted container "left" out of: left, right\n');
    expect(stdout).toContain('/twin/left');
    const right = await pinnace('logs', 'twin', '-c', 'right', '--since=1m30s');
    expect(right.stderr).toBe('');
    expect(right.stdout).toMatch(/\/twin\/right.*sinceSeconds=90/);
  });

  it('refuses what has no pods, a pod that is not there, and neither pod nor selector', async () => {
    expect((await pinnace('logs', 'cm/door-1')).stderr).toMatch(/selecting pods from it/);
    expect((await pinnace('logs', 'nope')).stderr).toContain('pods "nope" not found');
    expect((await pinnace('logs')).code).toBe(1);
  });
});

describe('pinnace top', () => {
  beforeAll(async () => {
    const usage = (name: string, cpuNanoCores: number, memoryBytes: number) => ({
      name,
      cpuNanoCores,
      memoryBytes,
    });
    const figures = async (name: string, containers: object[]) => {
      const { metadata } = (await server.call('GET', `${core('pods')}/${name}`)).json() as {
        metadata: { uid: string };
      };
      return { namespace: 'default', name, uid: metadata.uid, containers };
    };
    await create('/apis/metrics.k8s.io/v1beta1/nodes/n1/samples', {
      timestampMs: Date.now(),
      windowMs: 1000,
      node: usage('n1', 5e8, 2 ** 29),
      pods: [
        await figures('web-2', [usage('main', 1e7, 2 ** 20)]),
        await figures('web-1', [usage('main', 2e7, 2 ** 21)]),
        await figures('twin', [usage('left', 1e6, 2 ** 20), usage('right', 3e7, 2 ** 20)]),
      ],
    });
  });

  it('sorts by name, or by a figure', async () => {
    const names = async (...args: string[]) =>
      (await pinnace('top', 'pods', '--no-headers', ...args)).stdout.match(/^\S+/gm);
    expect(await names()).toEqual(['twin', 'web-1', 'web-2']);
    expect(await names('--sort-by=cpu')).toEqual(['twin', 'web-1', 'web-2']);
    expect(await names('--sort-by', 'memory', '-A')).toEqual(['default', 'default', 'default']);
    expect((await pinnace('top', 'pods', '--sort-by=age')).code).toBe(1);
  });

  it('shows one pod, its containers, and a node with its shares', async () => {
    expect((await pinnace('top', 'pod', 'web-2')).stdout).toBe(
      'NAME    CPU(cores)   MEMORY(bytes)\nweb-2   10m          1Mi\n',
    );
    expect((await pinnace('top', 'pod', 'twin', '--containers')).stdout).toBe(
      'POD    NAME    CPU(cores)   MEMORY(bytes)\ntwin   left    1m           1Mi\ntwin   right   30m          1Mi\n',
    );
    expect((await pinnace('top', 'node', 'n1')).stdout).toBe(
      'NAME   CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)\nn1     500m         25%      512Mi           50%\n',
    );
  });
});
