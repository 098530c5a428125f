// The built-in controllers as programs under test: whatever befalls their messages and processes, they come to what was asked for.
import { expect, it } from 'vitest';
import type {
  Deployment,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from '../../api/generated/types.ts';
import {
  Deployments,
  PersistentVolumeClaims,
  PersistentVolumes,
  Pods,
  ReplicaSets,
} from '../../api/kinds.ts';
import { namedControllers } from '../../controllers/all.ts';
import {
  type ClusterState,
  explore,
  type Program,
  scenario,
  type ScenarioOptions,
} from '../../testing/simulation/index.ts';

/** Runs of each; the long form has its own. */
const RUNS = process.env['PINNACE_LONG'] ? 2000 : 30;

const at = { namespace: 'default', name: 'web' };
const labels = { app: 'web' };
const deployment = (replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: at,
  spec: {
    replicas,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'web', image: 'web:1' }] },
    },
  },
});

/** The controllers of these names, as one program. */
const program = (...names: string[]): Program => ({
  controllers: () => {
    const all = namedControllers();
    return names.map((name) => all[name]).filter((each) => each !== undefined);
  },
});

const alive = (state: ClusterState): Pod[] =>
  state.list(Pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined);

const passes = async (options: ScenarioOptions) => {
  const { failures, runs } = await explore(scenario(options), { runs: RUNS });
  expect(failures.map(({ story }) => story)).toEqual([]);
  expect(runs).toBe(RUNS);
};

it('a Deployment comes to its number of pods, and never has more than it may', () =>
  passes({
    name: 'deployment',
    programs: { manager: program('deployment-controller', 'replicaset-controller') },
    story: async ({ client, sleep }) => {
      const deployments = client.resource(Deployments);
      const patch = (spec: object) => deployments.patch(at, { type: 'strategic', body: { spec } });
      await deployments.create(deployment(3));
      await sleep(1000);
      await patch({ replicas: 5 });
      await sleep(1000);
      const containers = [{ name: 'web', image: 'web:2' }];
      await patch({ template: { spec: { containers } } });
      await sleep(2000);
      await patch({ replicas: 2 });
    },
    always: {
      'no more pods than the highest number and its surge': (state) => alive(state).length <= 7,
      'a set for each template': (state) => state.list(ReplicaSets).length <= 2,
    },
    eventually: {
      'two pods, and one beside them while the new ones are not ready': (state) =>
        [2, 3].includes(alive(state).length),
    },
    // What was asked for and never seen again is waited for this long (EXPECTATION_TIMEOUT_MS).
    within: 400_000,
  }));

// Not that the owner goes last: as upstream's, a collector whose cache is behind does not know a child that was made just now.
it('a deletion in the foreground takes everything with it', () =>
  passes({
    name: 'foreground deletion',
    programs: {
      manager: program('garbage-collector', 'deployment-controller', 'replicaset-controller'),
    },
    story: async ({ client, sleep }) => {
      const deployments = client.resource(Deployments);
      await deployments.create(deployment(2));
      await sleep(1000);
      await deployments.delete(at, { propagationPolicy: 'Foreground' });
    },
    eventually: {
      'nothing is left': (state) => {
        const left = [...state.list(Deployments), ...state.list(ReplicaSets), ...state.list(Pods)];
        return left.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join() || true;
      },
    },
    within: 700_000,
  }));

const NAMES = ['a', 'b', 'c'];
const claim = (name: string, storage: string): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: 'default', name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
});
const volume = (name: string, storage: string): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage },
    accessModes: ['ReadWriteOnce'],
    hostPath: { path: `/tmp/${name}` },
  },
});

/** Volumes that two claims say to be theirs, and claims that say so of a volume that is another's. */
function misbound(state: ClusterState): string[] {
  const bound = state
    .list(PersistentVolumeClaims)
    .filter(({ status }) => status?.phase === 'Bound');
  const names = bound.map(({ spec }) => spec?.volumeName ?? '');
  const foreign = bound.filter(({ metadata, spec }) => {
    const volumes = state.list(PersistentVolumes);
    const its = volumes.find((each) => each.metadata.name === spec?.volumeName);
    return its?.spec?.claimRef?.uid !== metadata.uid;
  });
  return [
    ...names.filter((name, index) => names.indexOf(name) !== index),
    ...foreign.map(({ metadata }) => metadata.name ?? ''),
  ];
}

it('each claim is given a volume of its own, and one that goes gives it back', () =>
  passes({
    name: 'claims',
    programs: {
      manager: program(
        'persistentvolume-binder-controller',
        'persistentvolumeclaim-protection-controller',
        'persistentvolume-protection-controller',
      ),
    },
    story: async ({ client, sleep }) => {
      const claims = client.resource(PersistentVolumeClaims);
      const volumes = client.resource(PersistentVolumes);
      for (const [index, name] of NAMES.entries()) {
        await volumes.create(volume(name, `${index + 1}Gi`));
        await claims.create(claim(name, `${NAMES.length - index}Gi`));
      }
      await sleep(5000);
      await claims.delete({ namespace: 'default', name: 'a' });
    },
    always: {
      'no volume is two claims’': (state) => misbound(state).join() || true,
    },
    eventually: {
      // It may have gone before it was given any.
      'the others are bound, and each volume says what it is': (state) => {
        const claims = state.list(PersistentVolumeClaims);
        const uids = new Set(claims.map(({ metadata }) => metadata.uid));
        const wrong = state.list(PersistentVolumes).filter(({ spec, status }) => {
          const { uid } = spec?.claimRef ?? {};
          if (uid === undefined) return status?.phase !== 'Available';
          return status?.phase !== (uids.has(uid) ? 'Bound' : 'Released');
        });
        const phases = claims.map(({ status }) => status?.phase).join();
        return (phases === 'Bound,Bound' && wrong.length === 0) || JSON.stringify([phases, wrong]);
      },
    },
    within: 400_000,
  }));
