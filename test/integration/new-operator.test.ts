// `pinnace new operator`: what it makes is a project that works: its types, tests, simulation and definition, and the program itself,
// which runs as a process of its own against a whole server, with the rights that its manifests give and no more.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CustomResourceDefinitions, Deployments, requestToken } from 'pinnace/client';
import { defineKind } from 'pinnace/controllers';
import { eventually, startCluster, type TestCluster } from 'pinnace/testing';
import { writeKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import { installPackages, projectEnvironment } from '../support/new-project.ts';
import { runPinnace } from '../support/pinnace.ts';

const NAME = 'cron-policy-operator';
const GROUP = 'ops.example.org';
const DEFINITION = `manifests/cronpolicies.${GROUP}.yaml`;
/** Other processes may have both processors. */
const CEILING_MS = 300_000;

let folder: string;
beforeAll(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'new-operator-')), 'made');
  const made = await runPinnace(['new', 'operator', NAME, '--group', GROUP, '--dir', folder]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  installPackages(folder);
}, CEILING_MS);
afterAll(() => rmSync(join(folder, '..'), { recursive: true }));

const fileOf = (path: string) => readFileSync(join(folder, path), 'utf8');

/** A script of the project, without the variables of the runner that this test is run by. */
function npm(script: string, environment: Record<string, string> = {}) {
  return spawn('npm', ['run', '-s', script], {
    cwd: folder,
    env: projectEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    // With what it starts, so that a signal reaches the program and not npm alone.
    detached: true,
  });
}

async function outcomeOf(child: ReturnType<typeof npm>) {
  const [said, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number | null, said: said + errors };
}

it(
  'has right types',
  async () => {
    expect(await outcomeOf(npm('check'))).toEqual({ code: 0, said: '' });
  },
  CEILING_MS,
);

it(
  'passes its own tests and its simulation',
  async () => {
    const { code, said } = await outcomeOf(npm('test'));
    expect(said).toMatch(/Test Files\s+2 passed/);
    expect(code).toBe(0);
  },
  CEILING_MS,
);

it(
  'has the definition that its kind gives',
  async () => {
    const before = fileOf(DEFINITION);
    expect(parse(before)).toMatchObject({
      metadata: { name: `cronpolicies.${GROUP}` },
      spec: { names: { kind: 'CronPolicy' } },
    });
    expect(await outcomeOf(npm('definition'))).toMatchObject({ code: 0, said: `${DEFINITION}\n` });
    expect(fileOf(DEFINITION)).toBe(before);
  },
  CEILING_MS,
);

it('keeps nothing of the names of its template', () => {
  const paths = ['src/kind.ts', 'src/controller.ts', 'src/main.ts', 'test/controller.test.ts'];
  for (const path of [...paths, 'test/scenario.ts', 'manifests/access.yaml', 'README.md'])
    expect(fileOf(path)).not.toMatch(/widget|example\.com/i);
});

const CronPolicies = defineKind({
  group: GROUP,
  version: 'v1alpha1',
  kind: 'CronPolicy',
  spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
});

/** A kubeconfig of the operator's own account. */
async function accountOf(cluster: TestCluster): Promise<string> {
  const { kubeconfig, url } = await cluster.listen();
  const applied = await runPinnace(['apply', '-f', join(folder, 'manifests/access.yaml')], {
    kubeconfig,
  });
  expect(applied).toMatchObject({ code: 0, stderr: '' });
  const account = { namespace: NAME, name: NAME };
  const { token } = await requestToken(cluster.client, account);
  const admin = parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { 'certificate-authority-data': string } }];
  };
  const authority = admin.clusters[0].cluster['certificate-authority-data'];
  const path = join(folder, '..', 'kubeconfig');
  const ca = Buffer.from(authority, 'base64').toString();
  const own = { name: 'test', server: url, ca, user: NAME, token, namespace: NAME };
  writeFileSync(path, writeKubeconfig(own));
  return path;
}

it(
  'runs as a program, with the rights of its manifests',
  async () => {
    await using cluster = await startCluster();
    const KUBECONFIG = await accountOf(cluster);
    const program = npm('start', { KUBECONFIG, PORT: '0' });
    const over = outcomeOf(program);
    const ended = over.then(({ said }) => {
      throw new Error(`the operator ended:\n${said}`);
    });
    const at = { namespace: 'default', name: 'first' };
    try {
      const served = eventually(
        cluster.client,
        CustomResourceDefinitions,
        { name: `cronpolicies.${GROUP}` },
        { status: { conditions: [{ type: 'Established', status: 'True' }] } },
        { timeoutMs: 60_000 },
      );
      await Promise.race([served, ended]);
      const spec = { image: 'web:1', replicas: 2 };
      await cluster.apply(CronPolicies.manifest({ metadata: at, spec }));
      const ready = eventually(
        cluster.client,
        CronPolicies,
        at,
        { status: { readyReplicas: 2, conditions: [{ type: 'Ready', status: 'True' }] } },
        { timeoutMs: 60_000 },
      );
      await Promise.race([ready, ended]);
      const deployment = await cluster.client.resource(Deployments).get(at);
      expect(deployment.metadata.ownerReferences).toMatchObject([{ kind: 'CronPolicy' }]);
    } finally {
      ended.catch(() => undefined);
      if (program.pid !== undefined && program.exitCode === null)
        process.kill(-program.pid, 'SIGTERM');
    }
    expect((await over).said).toContain('the operator has stopped');
  },
  CEILING_MS,
);
