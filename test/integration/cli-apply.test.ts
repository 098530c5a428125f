// `pinnace apply` beside the real kubectl: the same manifests over the same foreign writes come to the same objects.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KUBECTL } from '../support/kubectl.ts';
import { runPinnace } from '../support/pinnace.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

type Fields = Record<string, unknown>;
interface Applier {
  readonly namespace: string;
  readonly apply: (...args: string[]) => Promise<unknown>;
}

let server: TestServer;
let folder: string;
const pinnace = (...args: string[]) => runPinnace(args, { kubeconfig: server.kubeconfig });
const kubectl = (...args: string[]) =>
  promisify(execFile)(KUBECTL, ['--kubeconfig', server.kubeconfig, ...args], {
    env: { HOME: folder },
  });
const appliers: readonly Applier[] = [
  { namespace: 'by-kubectl', apply: (...args) => kubectl('apply', ...args) },
  {
    namespace: 'by-pinnace',
    apply: async (...args) => {
      const outcome = await pinnace('apply', ...args);
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
    },
  },
];
const file = (name: string, object: object): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(object));
  return path;
};

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), 'cli-apply-'));
  for (const { namespace: name } of appliers)
    await server.call('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** The specs that both leave behind: of `states`, one after the other, with `foreign` written after the first. */
async function specsOf(
  path: string,
  states: readonly object[],
  foreign: object,
): Promise<Fields[]> {
  const specs: Fields[] = [];
  for (const { namespace, apply } of appliers) {
    for (const [at, state] of states.entries()) {
      await apply('-n', namespace, '-f', file(`${namespace}.json`, state));
      if (at > 0) continue;
      const type = 'application/strategic-merge-patch+json';
      const target = `${path.replace('NS', namespace)}/web`;
      expect(
        (await server.call('PATCH', target, { headers: { 'content-type': type }, body: foreign }))
          .status,
      ).toBe(200);
    }
    const body: unknown = (await server.call('GET', `${path.replace('NS', namespace)}/web`)).json();
    const { spec, metadata } = body as { spec: Fields; metadata: Fields };
    const { clusterIP: _, clusterIPs: __, ...lasting } = spec;
    specs.push({ ...lasting, labels: metadata['labels'], finalizers: metadata['finalizers'] });
  }
  return specs;
}

describe('applying again', () => {
  const deployment = (pod: object, spec: object = {}) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: pod },
      ...spec,
    },
  });
  const env = (...names: string[]) => names.map((name) => ({ name, value: name.toLowerCase() }));

  it('keeps sidecars and variables of others, and removes its own', async () => {
    const foreign = {
      metadata: { labels: { seen: 'yes' } },
      spec: {
        template: {
          spec: {
            containers: [
              { name: 'web', env: env('FOREIGN') },
              { name: 'sidecar', image: 's' },
            ],
          },
        },
      },
    };
    const volume = (source: object) => ({ volumes: [{ name: 'v', ...source }] });
    const old = { name: 'old', image: 'o' };
    const before = deployment({
      containers: [{ name: 'web', image: 'a', env: env('A', 'B', 'C') }, old],
      ...volume({ emptyDir: {} }),
    });
    const after = deployment(
      {
        containers: [{ name: 'web', image: 'b', env: env('A', 'N', 'C'), command: ['x'] }],
        ...volume({ configMap: { name: 'c' } }),
      },
      { strategy: { type: 'Recreate' } },
    );
    const path = '/apis/apps/v1/namespaces/NS/deployments';
    const [theirs, ours] = await specsOf(path, [before, after], foreign);
    expect(ours).toEqual(theirs);
    const text = JSON.stringify(ours);
    expect(text).toContain('"FOREIGN"');
    expect(text).toContain('"sidecar"');
    expect(text).not.toMatch(/"old"|"B"|emptyDir|rollingUpdate/);
    const path2 = join(folder, 'by-pinnace.json');
    expect((await pinnace('apply', '-n', 'by-pinnace', '-f', path2)).stdout).toBe(
      'deployment.apps/web unchanged\n',
    );
  });

  it('keeps ports of others, and finalizers', async () => {
    const service = (ports: object[], finalizers: string[]) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', finalizers },
      spec: { ports },
    });
    const [p1, p2, p3] = [1, 2, 3].map((port) => ({ name: `p${port}`, port }));
    const foreign = { metadata: { finalizers: ['t/f'] }, spec: { ports: [p3] } };
    const [before, after] = [
      service([p1 ?? {}, p2 ?? {}], ['t/a', 't/b']),
      service([p1 ?? {}], ['t/a']),
    ];
    const path = '/api/v1/namespaces/NS/services';
    const [theirs, ours] = await specsOf(path, [before, after], foreign);
    expect(ours).toEqual(theirs);
    expect(ours?.['ports']).toEqual(
      expect.arrayContaining([1, 3].map((port) => expect.objectContaining({ port }) as unknown)),
    );
    expect(ours?.['ports']).toHaveLength(2);
    expect(ours?.['finalizers']).toEqual(expect.arrayContaining(['t/a', 't/f']));
    expect(ours?.['finalizers']).not.toContain('t/b');
  });

  it('removes a key that is called as something of every object', async () => {
    const config = (data: object) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'keys' },
      data,
    });
    const path = file('keys.json', config({ toString: 'x', constructor: 'y', kept: 'z' }));
    await pinnace('apply', '-f', path);
    file('keys.json', config({ kept: 'z' }));
    await pinnace('apply', '-f', path);
    const body: unknown = (
      await server.call('GET', '/api/v1/namespaces/default/configmaps/keys')
    ).json();
    expect(body).toMatchObject({ data: { kept: 'z' } });
    expect(Object.keys((body as { data: object }).data)).toEqual(['kept']);
  });
});

describe('-n and a manifest that names another namespace', () => {
  it('is refused in the words of kubectl, and nothing is written or deleted', async () => {
    const path = file('elsewhere.json', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c', namespace: 'default' },
    });
    for (const verb of ['apply', 'delete']) {
      const theirs = await kubectl(verb, '-n', 'by-kubectl', '-f', path).catch(
        (error: { stderr: string }) => error,
      );
      const ours = await pinnace(verb, '-n', 'by-kubectl', '-f', path);
      expect(ours).toEqual({ code: 1, stdout: '', stderr: theirs.stderr });
      expect(ours.stderr).toContain('does not match the namespace "by-kubectl"');
    }
  });
});
