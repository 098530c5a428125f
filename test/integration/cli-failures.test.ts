// What the commands say when there is no cluster to talk to, and what they do when nobody listens to them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runPinnace } from '../support/pinnace.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

let folder: string;
let nobody: string;
let server: TestServer;
const REFUSED =
  'The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?';

beforeAll(async () => {
  server = await startTestServer();
  folder = mkdtempSync(join(tmpdir(), 'cli-failures-'));
  nobody = join(folder, 'kubeconfig');
  const [cluster, context] = ['{server: "https://127.0.0.1:1"}', '{cluster: c}'];
  writeFileSync(
    nobody,
    `current-context: c\nclusters: [{name: c, cluster: ${cluster}}]\ncontexts: [{name: c, context: ${context}}]\n`,
  );
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('without a server', () => {
  it.each([
    ['get', 'pods'],
    ['describe', 'pod', 'x'],
    ['delete', 'pod', 'x'],
    ['logs', 'x'],
    ['top', 'nodes'],
    ['apply', '-f', 'manifests/shop'],
  ])('%s says which server refused, and what to do', async (...args) => {
    const { code, stdout, stderr } = await runPinnace(args, { kubeconfig: nobody });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const [first, second, ...rest] = stderr.split('\n');
    expect(first).toBe(REFUSED);
    expect(second).toContain('npx pinnace up');
    expect(rest).toEqual(['']);
  });

  it('a server that is none of Kubernetes is one line', async () => {
    const pages = createServer((_, response) =>
      response.writeHead(404, { 'content-type': 'text/html' }).end('<!DOCTYPE html>\n<p>\nno'),
    );
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    const { port } = pages.address() as AddressInfo;
    const path = join(folder, 'pages');
    writeFileSync(
      path,
      readFileSync(nobody, 'utf8').replace('https://127.0.0.1:1', `http://127.0.0.1:${port}`),
    );
    const { code, stderr } = await runPinnace(['get', 'cm'], { kubeconfig: path });
    pages.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error from server \(NotFound\): [^\n]*web page[^\n]*\n$/);
  });

  it('a kubeconfig that is not there is one line', async () => {
    for (const args of [
      ['get', 'cm', '--kubeconfig', '/no/such'],
      ['get', 'cm'],
    ])
      expect((await runPinnace(args)).stderr).toMatch(/^error: [^\n]+\n$/);
  });
});

describe('examples/01-own-controller', () => {
  const program = 'examples/01-own-controller/main.ts';
  it('says in one line why it cannot start', async () => {
    for (const [kubeconfig, why] of [
      [undefined, /^mirror: there is no cluster [^\n]+ set KUBECONFIG [^\n]+\n$/],
      ['/no/such', /^mirror: kubeconfig \/no\/such: [^\n]+\n$/],
      [nobody, /^mirror: The connection to the server 127\.0\.0\.1:1 was refused[^\n]+\n$/],
    ] as const) {
      const run = { program, ...(kubeconfig === undefined ? {} : { kubeconfig }) };
      const { code, stderr } = await runPinnace([], run);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(why) as string });
    }
  });

  it('says what it does while it runs', async () => {
    const metadata = { name: 'm', labels: { 'mirror-to': 'kube-public' } };
    await server.call('POST', '/api/v1/namespaces/default/configmaps', {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata },
    });
    const run = { program, kubeconfig: server.kubeconfig, endAfter: /"mirrored"/ };
    const { code, stderr } = await runPinnace([], run);
    expect(code).toBe(0);
    expect(stderr).toMatch(new RegExp(`"server":"${server.url}".*"the operator runs"`));
    expect(stderr).toMatch(/"the operator has stopped"/);
    expect(stderr).toMatch(/"to":"kube-public","name":"m"/);
  });
});

describe('when nobody reads what it prints', () => {
  it('get ends quietly', async () => {
    const run = { kubeconfig: server.kubeconfig, deaf: true };
    const { code, stderr } = await runPinnace(['get', 'ns', '-w'], run);
    expect({ code, stderr }).toEqual({ code: 141, stderr: '' });
  });

  it('apply goes on to its end', async () => {
    const names = ['one', 'two', 'three'];
    const input = names
      .map((name) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`)
      .join('---\n');
    const run = { kubeconfig: server.kubeconfig, deaf: true, input };
    const { code, stderr } = await runPinnace(['apply', '-f', '-'], run);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of names)
      expect(
        (await server.call('GET', `/api/v1/namespaces/default/configmaps/${name}`)).status,
      ).toBe(200);
  });
});

describe('pinnace', () => {
  it('tells its version', async () => {
    expect((await runPinnace(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
