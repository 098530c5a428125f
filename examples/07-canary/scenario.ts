// What may never happen to canaries, whatever is late, lost or dies: `npx pinnace simulate examples/07-canary/scenario.ts --runs 1000`.
// Invariant: no pod crashes by itself here, so that whatever is missing was taken down by the operator.
import { type Deployment, type Pod, Pods } from 'pinnace/client';
import { installKinds, isPodActive, isPodReady } from 'pinnace/controllers';
import { type ClusterState, scenario } from 'pinnace/testing';
import { canaryController } from './controller.ts';
import { Canaries, type Canary } from './kind.ts';
import type { MetricsSource } from './metrics.ts';
import { revisionOf } from './tracks.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const AT = { namespace: 'default', name: 'web' };
const PATIENCE = { withinMs: 10 * MINUTE };

const imageOf = ({ spec }: Pod) => spec?.containers[0]?.image;

/** A source of figures that knows good images from bad ones: those called app:bad. */
export const byImage: MetricsSource = async ({ client, ...which }) => {
  const { items } = await client.resource(Pods).list(which);
  if (items.length === 0) return undefined;
  return items.some((pod) => imageOf(pod) === 'app:bad') ? 100 : 1;
};

const statusOf = (state: ClusterState) => state.get(Canaries, AT)?.status;

const readyPods = (state: ClusterState, image?: string): number =>
  state
    .list(Pods)
    .filter((pod) => isPodActive(pod) && isPodReady(pod))
    .filter((pod) => image === undefined || imageOf(pod) === image).length;

/** Has a version been on trial in this run? */
const hasTried = ({ writes }: ClusterState): boolean =>
  writes.some(({ object }) => object.kind === 'Canary' && (object as Canary).status?.trial);

/** A version that takes over, and one that does not. */
export const canariesKeepTheirWord = scenario({
  name: 'canary',
  programs: {
    operator: {
      controllers: () => [canaryController(byImage)],
      replicas: 2,
      leaderElection: true,
    },
  },
  nodes: 1,
  controllers: ['node-lifecycle-controller', 'deployment-controller', 'replicaset-controller'],
  lives: { app: { readyAfterMs: SECOND } },
  setUp: ({ client }) => installKinds(client, [Canaries]),
  async story({ client, until }) {
    const canaries = client.resource(Canaries);
    const to = (image: string) =>
      canaries.patch(AT, { type: 'merge', body: { spec: { container: { image } } } });
    await canaries.create(
      Canaries.object({
        metadata: AT,
        spec: {
          replicas: 2,
          container: { image: 'app:1' },
          steps: [{ weight: 50, holdSeconds: 10 }],
          analysis: { max: 10 },
        },
      }),
    );
    await until((state) => readyPods(state) === 2, PATIENCE);
    await to('app:2');
    await until((state) => statusOf(state)?.stable.container.image === 'app:2', PATIENCE);
    await to('app:bad');
    await until((state) => statusOf(state)?.phase === 'RolledBack', PATIENCE);
  },
  faults: { most: 4 },
  always: {
    'traffic never comes back to a version that failed': (state) => {
      const last = state.writes.at(-1);
      const failed = statusOf(state)?.failedRevision;
      if (!failed || last?.object.kind !== 'Deployment') return true;
      const podsOf = (deployment: Deployment | undefined) =>
        deployment && revisionOf(deployment) === failed ? (deployment.spec?.replicas ?? 0) : 0;
      return podsOf(last.object as Deployment) <= podsOf(last.previous as Deployment | undefined);
    },
    'two pods are ready, but for those of a version that failed': (state) => {
      if (!hasTried(state)) return true;
      const least = statusOf(state)?.phase === 'RolledBack' ? 1 : 2;
      return readyPods(state) >= least || `${readyPods(state)} are ready`;
    },
  },
  eventually: {
    'the good version has all pods, the bad one none': (state) =>
      readyPods(state, 'app:2') === 2 && state.list(Pods).length === 2,
  },
  within: 5 * MINUTE,
  // On a host that is busy with other things, one run may take long.
  limits: { realMs: 120_000 },
});
