// The operator of examples/09-gitops as a process of its own, over HTTPS and with the real git, killed in the middle and started again.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigMaps } from 'pinnace/client';
import { startCluster, type TestCluster } from 'pinnace/testing';
import 'pinnace/testing/vitest';
import { GitSyncs } from '../../examples/09-gitops/kind.ts';
import { type OperatorProcess, startOperatorProcess } from '../support/operator-process.ts';
import { until } from '../support/until.ts';

let folder: string;
let cluster: TestCluster;
let program: OperatorProcess;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'git-sync-'));
  git('init', '--quiet');
});
afterEach(async () => {
  await program.kill();
  await cluster.close();
  rmSync(folder, { recursive: true });
});

const git = (...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    encoding: 'utf8',
  }).trim();
function commit(...names: readonly string[]): string {
  const objects = names.map((name) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { names: names.join() },
  }));
  const list = { apiVersion: 'v1', kind: 'List', metadata: {}, items: objects };
  writeFileSync(join(folder, 'all.json'), JSON.stringify(list));
  git('add', '--all');
  git('commit', '--quiet', '--message', 'a commit');
  return git('rev-parse', 'HEAD');
}

const AT = { namespace: 'default', name: 'shop' };
/** A lead that nobody let go is taken over after 15 s. */
const patience = { timeoutMs: 50_000 };

it('takes up its work where it was killed, forgets nothing that was half-way in, and ends in order', async () => {
  const many = Array.from({ length: 50 }, (_, at) => `many-${at}`);
  const first = commit('stays');
  cluster = await startCluster({ nodes: 0, scheduler: false, controllers: 'none' });
  const { kubeconfig } = await cluster.listen();
  const start = () =>
    startOperatorProcess('examples/09-gitops/main.ts', { KUBECONFIG: kubeconfig });
  program = start();
  const all = cluster.client.resource(GitSyncs);
  const spec = { repository: folder, intervalSeconds: 1 };
  await until(() => all.create(GitSyncs.object({ metadata: AT, spec })).then(Boolean, () => false));
  await expect(cluster.client).toEventually(
    GitSyncs,
    AT,
    { status: { revision: first } },
    patience,
  );
  commit('stays', ...many);
  const one = { namespace: 'default', name: 'many-3' };
  await expect(cluster.client).toEventually(ConfigMaps, one, {}, patience);
  await program.kill();
  const last = commit('stays', 'new');
  program = start();
  await expect(cluster.client).toEventually(GitSyncs, AT, { status: { revision: last } }, patience);
  await expect(cluster.client).toEventuallyBeGone(ConfigMaps, one, patience);
  const { items } = await cluster.client.resource(ConfigMaps).list({ namespace: 'default' });
  expect(items.map(({ metadata }) => metadata.name)).toEqual(['new', 'stays']);
  expect(await program.stop(), program.log()).toBe(0);
});
