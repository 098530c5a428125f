// What may never happen to caches, whatever is late, lost or dies: `npx pinnace simulate examples/05-replicated-cache/scenario.ts --runs 1000`.
// Invariant: no member crashes by itself here, so that whatever is missing was taken down by the operator.
import { PersistentVolumeClaims, type Pod, Pods } from 'pinnace/client';
import { installKinds, isPodReady } from 'pinnace/controllers';
import { type ClusterState, scenario } from 'pinnace/testing';
import { replicatedCache } from './controller.ts';
import { type ReplicatedCache, ReplicatedCaches } from './kind.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const AT = { namespace: 'default', name: 'web' };
const PATIENCE = { withinMs: 10 * MINUTE };

const numberOf = ({ metadata }: { readonly metadata: { readonly name?: string } }) =>
  Number(metadata.name?.split('-').at(-1));

const isWhole = (state: ClusterState, image: string): boolean =>
  state.list(Pods).filter((pod) => isPodReady(pod) && pod.spec?.containers[0]?.image === image)
    .length === state.get(ReplicatedCaches, AT)?.spec.replicas;

/** Were all three ready before, at some time of the run? */
const wasWhole = ({ writes }: ClusterState): boolean =>
  writes.some(
    ({ object }) =>
      object.kind === 'ReplicatedCache' && (object as ReplicatedCache).status?.readyReplicas === 3,
  );

const isGoing = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;

/** A cache that is made, updated, scaled down, and up again before that is done. */
export const cachesKeepTheirWord = scenario({
  name: 'replicated cache',
  programs: {
    operator: { controllers: () => [replicatedCache], replicas: 2, leaderElection: true },
  },
  nodes: 1,
  controllers: ['node-lifecycle-controller'],
  lives: { cache: { readyAfterMs: SECOND, stopMs: SECOND } },
  setUp: ({ client }) => installKinds(client, [ReplicatedCaches]),
  async story({ client, until }) {
    const caches = client.resource(ReplicatedCaches);
    const change = (spec: object) => caches.patch(AT, { type: 'merge', body: { spec } });
    const storage = { size: '1Gi', whenUnused: 'Delete' } as const;
    await caches.create(
      ReplicatedCaches.object({ metadata: AT, spec: { image: 'cache:1', storage } }),
    );
    await until((state) => isWhole(state, 'cache:1'), PATIENCE);
    await change({ image: 'cache:2' });
    await until((state) => isWhole(state, 'cache:2'), PATIENCE);
    await change({ replicas: 2 });
    await until((state) => state.list(Pods).some(isGoing), PATIENCE);
    await change({ replicas: 3 });
  },
  faults: { most: 4 },
  always: {
    'members start in order, one at a time': (state) => {
      const last = state.writes.at(-1);
      if (last?.type !== 'created' || last.object.kind !== 'Pod') return true;
      const before = state.list(Pods).filter((pod) => numberOf(pod) < numberOf(last.object));
      const inOrder = before.length === numberOf(last.object) && before.every(isPodReady);
      return inOrder || `${last.object.metadata.name} was made before those before it were ready`;
    },
    'two of three are ready all the time, once three were': (state) =>
      !wasWhole(state) || state.list(Pods).filter(isPodReady).length >= 2,
    'no claim goes while its member is there': (state) => {
      const last = state.writes.at(-1);
      if (last?.type !== 'deleted' || last.object.kind !== 'PersistentVolumeClaim') return true;
      return !state.list(Pods).some((pod) => numberOf(pod) === numberOf(last.object));
    },
  },
  eventually: {
    'all members are there, ready, and of the newest image': (state) =>
      isWhole(state, 'cache:2') && state.get(ReplicatedCaches, AT)?.status?.readyReplicas === 3,
    'each has its claim': (state) => state.list(PersistentVolumeClaims).length === 3,
  },
  within: 5 * MINUTE,
  // On a host that is busy with other things, one run may take long.
  limits: { realMs: 120_000 },
});
