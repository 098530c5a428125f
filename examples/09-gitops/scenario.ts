// What may never happen to what a repository says: `npx pinnace simulate examples/09-gitops/scenario.ts --runs 1000`.
// Invariant: the repository begins empty in each run; the story alone commits.
import { type ConfigMap, ConfigMaps } from 'pinnace/client';
import { installKinds } from 'pinnace/controllers';
import { type ClusterState, scenario } from 'pinnace/testing';
import { gitSync } from './controller.ts';
import { GitSyncs } from './kind.ts';
import { MemoryRepository, type Tree } from './memory-repository.ts';
import { SYNC_LABEL } from './manifests.ts';
import { identityOf } from './plan.ts';

const AT = { namespace: 'default', name: 'shop' };
/** Longer than whatever holds a program up, and then the time to find out and to mend. */
const ABSENT_MS = 150_000;

const config = (name: string, text: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { text },
});
const tree = (texts: Readonly<Record<string, string>>): Tree =>
  Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      `${name}.yaml`,
      JSON.stringify(config(name, text)),
    ]),
  );

const repository = new MemoryRepository();

/** Names and texts of what the operator applied and did not delete. */
const appliedIn = (state: ClusterState) =>
  state
    .list(ConfigMaps, { labelSelector: SYNC_LABEL })
    .map(({ metadata, data }) => `${metadata.name} ${data?.['text']}`)
    .join();

/** A repository that gains, changes, loses and regains objects, while people change and delete what was applied. */
export const followsItsRepository = scenario({
  name: 'git sync',
  programs: {
    operator: {
      controllers: () => [gitSync(repository)],
      replicas: 2,
      leaderElection: true,
    },
  },
  setUp: ({ client }) => installKinds(client, [GitSyncs]),
  async story({ client, sleep }) {
    repository.reset();
    repository.commit(tree({ always: '1', first: '1' }));
    const configs = client.resource(ConfigMaps);
    await configs.create(config('theirs', 'theirs'));
    const spec = { repository: '/shop', intervalSeconds: 1 };
    await client.resource(GitSyncs).create(GitSyncs.object({ metadata: AT, spec }));
    await sleep(7000);
    repository.commit(tree({ always: '2', theirs: 'ours', later: '2' }));
    await configs.delete({ ...AT, name: 'always' }).catch(() => undefined);
    await sleep(8000);
    repository.commit(tree({ always: '3', later: '3' }));
    await sleep(6000);
    const drift = { type: 'merge', body: { data: { text: 'drift' } } } as const;
    await configs.patch({ ...AT, name: 'later' }, drift).catch(() => undefined);
    await sleep(4000);
    // What is gone again before a program that died comes back.
    for (let brief = 1; brief <= 8; brief++) {
      repository.commit(tree({ always: '3', [`brief-${brief}`]: '3' }));
      await sleep(1500);
    }
    repository.commit(tree({ always: '4', first: '4' }));
  },
  faults: { most: 4 },
  always: {
    'nothing outside the inventory is ever deleted': (state) => {
      const last = state.writes.at(-1);
      if (last?.type !== 'deleted' || !last.by.startsWith('operator')) return true;
      if (last.object.kind !== 'ConfigMap') return true;
      const inventory = state.get(GitSyncs, AT)?.status?.inventory ?? [];
      const { apiVersion, kind, metadata } = last.object;
      const identity = identityOf({ apiVersion, kind, ...AT, name: metadata.name ?? '' });
      return inventory.some((entry) => identityOf(entry) === identity) || identity;
    },
    'what is somebody else’s stays as it is': (state) => {
      const made = state.writes.some(({ object }) => object.metadata.name === 'theirs');
      const theirs = state.get(ConfigMaps, { ...AT, name: 'theirs' });
      return !made || (theirs?.data?.['text'] === 'theirs' && !theirs.metadata.labels);
    },
    'what is in the repository is never absent for long': (state) => {
      let sinceMs: number | undefined;
      for (const { type, object, atMs } of state.writes) {
        if (object.kind !== 'ConfigMap' || object.metadata.name !== 'always') continue;
        if (sinceMs !== undefined && atMs - sinceMs > ABSENT_MS)
          return `from ${sinceMs} to ${atMs}`;
        sinceMs = type === 'deleted' ? atMs : undefined;
      }
      return true;
    },
  },
  eventually: {
    'the cluster is as the repository says': (state) => {
      const applied = appliedIn(state);
      return applied === 'always 4,first 4' || applied;
    },
    'the status tells so, and has forgotten what went': (state) => {
      const { conditions = [], failures, inventory = [] } = state.get(GitSyncs, AT)?.status ?? {};
      const names = inventory.map(({ name }) => name).join();
      return (
        (conditions[0]?.status === 'True' && names === 'always,first') ||
        JSON.stringify({ names, conditions, failures })
      );
    },
  },
  within: 180_000,
});
