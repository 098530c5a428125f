// `pinnace get` and `delete` of several things at once: what is there is shown or deleted, what is missing is told by name.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPinnace } from '../support/pinnace.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let folder: string;
const pinnace = (...args: string[]) => runPinnace(args, { kubeconfig: server.kubeconfig });
const missing = (...names: string[]) =>
  names.map((name) => `Error from server (NotFound): configmaps "${name}" not found\n`).join('');
const config = (name: string, namespace?: string) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } });
const file = (name: string, ...documents: string[]): string => {
  const path = join(folder, name);
  writeFileSync(path, documents.join('\n---\n'));
  return path;
};
const make = (name: string) =>
  server.call('POST', '/api/v1/namespaces/default/configmaps', { body: config(name) });

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), 'cli-names-'));
  for (const name of ['a', 'b']) await make(name);
  await server.call('POST', '/api/v1/namespaces/default/services', {
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { ports: [{ port: 80 }] },
    },
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('pinnace get', () => {
  it('prints what is there and names each that is not', async () => {
    const { code, stdout, stderr } = await pinnace('get', 'cm', 'a', 'nope', 'b', 'nix');
    expect({ code, stderr }).toEqual({ code: 1, stderr: missing('nope', 'nix') });
    expect(stdout).toMatch(/^NAME +DATA +AGE\na +0 +\S+\nb +0 +\S+\n$/);
  });

  it('does so for names, YAML and JSON, and for TYPE/NAME', async () => {
    const names = await pinnace('get', 'cm/a', 'svc/web', 'cm/nope', '-o', 'name');
    expect(names).toEqual({
      code: 1,
      stdout: 'configmap/a\nservice/web\n',
      stderr: missing('nope'),
    });
    const json = await pinnace('get', 'cm', 'a', 'nope', '-o=json');
    const list = JSON.parse(json.stdout) as { kind: string; items: { metadata: object }[] };
    expect(list).toMatchObject({ kind: 'List', items: [{ metadata: { name: 'a' } }] });
    expect(list.items).toHaveLength(1);
    expect(json).toMatchObject({ code: 1, stderr: missing('nope') });
    const none = await pinnace('get', 'cm', 'nope', '-o', 'yaml');
    expect(none).toEqual({ code: 1, stdout: '', stderr: missing('nope') });
  });

  it('takes it in its stride with --ignore-not-found', async () => {
    expect(await pinnace('get', 'cm', 'nope', '--ignore-not-found')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('sets several kinds apart, each name with its kind', async () => {
    const { stdout } = await pinnace('get', 'cm,deploy,svc');
    expect(stdout).toMatch(
      /^NAME +DATA +AGE\nconfigmap\/a .*\nconfigmap\/b .*\n(configmap\/.*\n)*\nNAME +TYPE .*\n(service\/.*\n)*service\/web /,
    );
    expect(await pinnace('get', 'deploy,sts')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'No resources found in default namespace.\n',
    });
  });

  it('knows the category all', async () => {
    const { code, stdout } = await pinnace('get', 'all');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('service/web') as string,
    });
  });

  it('takes flags of the connection before the command', async () => {
    const { stderr } = await pinnace('-n', 'elsewhere', 'get', 'cm');
    expect(stderr).toBe('No resources found in elsewhere namespace.\n');
    expect((await pinnace('-n', 'a', 'get', 'cm', '-n', 'b')).stderr).toContain('in b namespace');
    expect((await pinnace('-n', 'a', 'down')).code).toBe(2);
  });

  it('refuses names in every namespace, names with labels, and a watch of two kinds', async () => {
    for (const args of [
      ['cm', 'a', '-A'],
      ['cm', 'a', '-l', 'x=y'],
      ['cm,svc', '-w'],
    ])
      expect(await pinnace('get', ...args)).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('pinnace delete', () => {
  it('never takes an empty name for the whole collection', async () => {
    for (const name of ['e1', 'e2']) await make(name);
    const generated = config('x').replace('"name":"x"', '"generateName":"e"');
    const path = file('generated.yaml', generated);
    const slash = 'arguments in resource/name form must have a single resource and name';
    const empty = 'resource name may not be empty';
    for (const [args, problem] of [
      [['delete', 'cm', ''], empty],
      [['delete', 'cm', 'e1', ''], empty],
      [['get', 'cm', ''], empty],
      [['logs', ''], empty],
      [['delete', 'cm/'], slash],
      [['delete', 'cm/a/b'], slash],
      [['delete', '-f', path], `error when deleting "${path}": ${empty}`],
      [['apply', '-f', path], 'from e: cannot use generate name with apply'],
    ] as const)
      expect(await pinnace(...args)).toEqual({
        code: 1,
        stdout: '',
        stderr: `error: ${problem}\n`,
      });
    expect((await pinnace('get', 'cm', 'e1', 'e2', '-o', 'name')).code).toBe(0);
  });

  it('goes on after what is gone, and names it', async () => {
    for (const name of ['d1', 'd2']) await make(name);
    expect(await pinnace('delete', 'cm', 'd1', 'nope', 'd2')).toEqual({
      code: 1,
      stdout:
        'configmap "d1" deleted from default namespace\nconfigmap "d2" deleted from default namespace\n',
      stderr: missing('nope'),
    });
  });

  it('does so for manifests, and takes it in its stride with --ignore-not-found', async () => {
    for (const name of ['d3', 'd4']) await make(name);
    const path = file('delete.yaml', config('d3'), 'kind: [broken', config('gone'), config('d4'));
    const { code, stdout, stderr } = await pinnace('delete', '-f', path);
    expect(code).toBe(1);
    expect(stdout.match(/"d[34]" deleted/g)).toHaveLength(2);
    expect(stderr).toContain(
      `Error from server (NotFound): error when deleting "${path}": configmaps "gone" not found\n`,
    );
    expect(stderr).toContain('delete.yaml: line 4');
    const again = file('again.yaml', config('d3'), config('gone'));
    expect(await pinnace('delete', '-f', again, '--ignore-not-found')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('deletes nothing in a dry run, and refuses one that it does not know', async () => {
    await make('kept');
    for (const [mode, words] of [
      ['client', '(dry run)'],
      ['server', '(server dry run)'],
    ] as const)
      expect(await pinnace('delete', 'cm', 'kept', `--dry-run=${mode}`)).toMatchObject({
        code: 0,
        stdout: `configmap "kept" deleted from default namespace ${words}\n`,
      });
    expect(await pinnace('delete', 'cm', 'kept', '--dry-run=bogus')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: Invalid dry-run value (bogus). Must be "none", "server", or "client".\n',
    });
    expect((await pinnace('get', 'cm', 'kept', '-o', 'name')).stdout).toBe('configmap/kept\n');
  });
});

describe('how pinnace delete waits', () => {
  const held = (name: string) =>
    server.call('POST', '/api/v1/namespaces/default/configmaps', {
      body: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, finalizers: ['test/keep'] },
      },
    });
  const deleted = (...names: string[]) =>
    names.map((name) => `configmap "${name}" deleted from default namespace\n`).join('');

  it('sends every delete first, and gives up after --timeout', async () => {
    for (const name of ['w1', 'w2']) await held(name);
    expect(await pinnace('delete', 'cm', 'w1', 'w2', '--timeout=300ms')).toEqual({
      code: 1,
      stdout: deleted('w1', 'w2'),
      stderr: ['w1', 'w2']
        .map((name) => `error: timed out waiting for the condition on configmaps/${name}\n`)
        .join(''),
    });
  });

  it('does not wait with --wait=false', async () => {
    await held('w3');
    const left = await pinnace('delete', 'cm', 'w3', '--wait=false');
    expect(left).toEqual({ code: 0, stdout: deleted('w3'), stderr: '' });
  });

  it('refuses grace periods and timeouts that are none, before anything is deleted', async () => {
    await make('w4');
    const refusals = await Promise.all(
      [['--grace-period=abc'], ['--grace-period=5', '--force'], ['--timeout=soon']].map((flags) =>
        pinnace('delete', 'cm', 'w4', ...flags),
      ),
    );
    for (const refused of refusals) {
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toMatch(/^error: [^\n]+\n$/);
    }
    expect((await pinnace('delete', 'cm', 'w4')).stdout).toBe(deleted('w4'));
  });

  it('deletes a pod at once only with --force', async () => {
    await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
    });
    const pod = (name: string) =>
      server.call('POST', '/api/v1/namespaces/default/pods', {
        body: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name },
          spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
        },
      });
    for (const name of ['p1', 'p2']) await pod(name);
    await pinnace('delete', 'pod', 'p1', '--grace-period=0', '--wait=false');
    const left = await pinnace('get', 'pod', 'p1', '-o', 'json');
    expect(JSON.parse(left.stdout)).toMatchObject({ metadata: { deletionGracePeriodSeconds: 1 } });
    await pinnace('delete', 'pod', 'p2', '--grace-period=0', '--force');
    expect((await pinnace('get', 'pod', 'p2')).code).toBe(1);
  });
});

describe('pinnace apply', () => {
  it('stores nothing in a dry run, and says which it was', async () => {
    const path = file('dry.yaml', config('dry'));
    for (const [mode, words] of [
      ['client', '(dry run)'],
      ['server', '(server dry run)'],
    ] as const)
      expect(await pinnace('apply', '-f', path, `--dry-run=${mode}`)).toEqual({
        code: 0,
        stdout: `configmap/dry created ${words}\n`,
        stderr: '',
      });
    expect(await pinnace('apply', '-f', path, '--dry-run=bogus')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: Invalid dry-run value (bogus). Must be "none", "server", or "client".\n',
    });
    expect((await pinnace('get', 'cm', 'dry')).stderr).toBe(missing('dry'));
  });

  it('says in a dry run of the server what would change', async () => {
    const path = file('change.yaml', config('change'));
    await pinnace('apply', '-f', path);
    const dry = async () => (await pinnace('apply', '-f', path, '--dry-run=server')).stdout;
    expect(await dry()).toBe('configmap/change unchanged (server dry run)\n');
    writeFileSync(path, config('change').replace('{', '{"data":{"k":"v"},'));
    expect(await dry()).toBe('configmap/change configured (server dry run)\n');
    expect((await pinnace('apply', '-f', path)).stdout).toBe('configmap/change configured\n');
    expect((await pinnace('apply', '-f', path)).stdout).toBe('configmap/change unchanged\n');
  });

  it('refuses a folder without manifests, and reads folders in it when asked to', async () => {
    mkdirSync(join(folder, 'tree', 'deep'), { recursive: true });
    const tree = join(folder, 'tree');
    expect(await pinnace('apply', '-f', tree)).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: error reading [${tree}]: recognized file extensions are [.json .yaml .yml]\n`,
    });
    writeFileSync(join(tree, 'deep', 'one.yaml'), config('deep'));
    expect((await pinnace('apply', '-R', '-f', tree)).stdout).toBe('configmap/deep created\n');
  });
});
