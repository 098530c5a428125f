// Programs in pods and the API server, on real containers: they reach it by its name, with the token and the CA that they are
// given, and may do what their account may.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { WEB_IMAGE } from '../support/tiny-images.ts';

const FILES = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Asks the API server as a client inside a pod does; prints the status and the body's kind, or message. */
const ASK = `
const { readFileSync } = require('node:fs');
const { get } = require('node:https');
const folder = process.env.FOLDER;
const file = (name) => readFileSync(folder + '/' + name, 'utf8');
const [host, path] = process.argv.slice(1);
get('https://' + host + path, { ca: file('ca.crt'), headers: { authorization: 'Bearer ' + file('token') } }, (answer) => {
  let text = '';
  answer.on('data', (chunk) => { text += chunk; });
  answer.on('end', () => console.log(JSON.stringify({ status: answer.statusCode, body: JSON.parse(text) })));
}).on('error', (error) => console.log(JSON.stringify({ error: error.code ?? error.message })));
`;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  const { kubectl } = cluster;
  await kubectl.ok(['create', 'serviceaccount', 'robot']);
  await kubectl.ok(['create', 'role', 'reader', '--verb=list', '--resource=configmaps']);
  await kubectl.ok([
    'create',
    'rolebinding',
    'r',
    '--role=reader',
    '--serviceaccount=default:robot',
  ]);
  await kubectl.apply([aPod('asker', { serviceAccountName: 'robot' })]);
  await kubectl.wait('--for=condition=Ready', 'pod/asker');
});
afterAll(() => cluster?.stop());

const aPod = (name: string, spec: object, container: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: WEB_IMAGE, ...container }],
    ...spec,
  },
});
const exec = (pod: string, ...command: string[]) =>
  cluster.kubectl.ok(['exec', pod, '--', ...command]);
const ask = async (host: string, path: string, folder = FILES) => {
  const env = `FOLDER=${folder}`;
  const said = await exec('asker', 'env', env, '/usr/local/bin/node', '-e', ASK, host, path);
  return JSON.parse(said) as { status?: number; body?: Record<string, string>; error?: string };
};

describe('a program in a pod', () => {
  it('reaches the API server by its names and its address, and may do what its account may', async () => {
    const env = await exec('asker', 'env');
    const address = /^KUBERNETES_SERVICE_HOST=(.+)$/m.exec(env)?.[1] ?? '';
    const port = /^KUBERNETES_SERVICE_PORT=(.+)$/m.exec(env)?.[1];
    expect(port).toBe('443');
    for (const host of ['kubernetes', 'kubernetes.default.svc.cluster.local', address]) {
      const allowed = await ask(host, '/api/v1/namespaces/default/configmaps');
      expect([allowed.status, allowed.body?.['kind']]).toEqual([200, 'ConfigMapList']);
    }
    const refused = await ask('kubernetes.default.svc', '/api/v1/namespaces/default/secrets');
    expect([refused.status, refused.body?.['message']]).toEqual([
      403,
      expect.stringContaining('User "system:serviceaccount:default:robot" cannot list'),
    ]);
  });

  it('finds its namespace, and a volume as upstream names it, readable by everybody', async () => {
    expect(await exec('asker', 'cat', `${FILES}/namespace`)).toBe('default');
    const { spec } = await cluster.kubectl.json(['get', 'pod', 'asker']);
    expect(spec.volumes[0].name).toMatch(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: spec.volumes[0].name, readOnly: true, mountPath: FILES },
    ]);
    expect(await exec('asker', 'ls', '-lL', FILES)).toMatch(/-rw-r--r-- \d+ \S+ +\S+ .* token$/m);
  });

  it('is refused as soon as its pod is gone', async () => {
    await cluster.kubectl.apply([aPod('short', { serviceAccountName: 'robot' })]);
    await cluster.kubectl.wait('--for=condition=Ready', 'pod/short');
    const token = await exec('short', 'cat', `${FILES}/token`);
    const kubeconfig = join(cluster.dataDir, 'token.kubeconfig');
    const ca = readFileSync(join(cluster.paths.pki, 'ca.crt'), 'utf8');
    const content = { name: 'c', server: cluster.url, ca, user: 'robot', token };
    writeFileSync(kubeconfig, writeKubeconfig(content));
    const robot = cluster.kubectl.with({ kubeconfig });
    expect(await robot.ok(['auth', 'whoami'])).toMatch(
      /system:serviceaccount:default:robot[^]*node-name[^]*pod-name\s+\[short\]/,
    );
    await cluster.kubectl.ok(['delete', 'pod', 'short', '--wait=true']);
    const { code, stderr } = await robot.run(['auth', 'whoami']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Unauthorized')]);
  });

  it('has a token that its own user and group alone may read, where the pod says who they are', async () => {
    const securityContext = { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 };
    await cluster.kubectl.apply([aPod('owner', { securityContext })]);
    await cluster.kubectl.wait('--for=condition=Ready', 'pod/owner');
    expect(await exec('owner', 'ls', '-lnL', FILES)).toMatch(
      /^-rw-r----- \d+ 1000 2000 .* token$/m,
    );
    expect(await exec('owner', 'cat', `${FILES}/token`)).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });
});
