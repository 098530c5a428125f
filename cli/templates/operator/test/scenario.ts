// What must hold whatever is late, lost or dies. Also for `npm run simulate`, with as many runs as you have time for.
import { type Deployment, Deployments } from 'pinnace/client';
import { installKinds, isControlledBy } from 'pinnace/controllers';
import { type ClusterState, scenario } from 'pinnace/testing';
import { controller } from '../src/controller.ts';
import { Widgets } from '../src/kind.ts';

const metadata = { name: 'first', namespace: 'default' };

const theirs: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'theirs', namespace: 'default' },
  spec: {
    replicas: 7,
    selector: { matchLabels: { app: 'theirs' } },
    template: {
      metadata: { labels: { app: 'theirs' } },
      spec: { containers: [{ name: 'main', image: 'other:1' }] },
    },
  },
};

const ours = (state: ClusterState) =>
  state.list(Deployments).filter((deployment) => deployment.metadata.name !== 'theirs');

/** A user who changes their mind, a stranger who deletes, and two copies of the operator of which one leads. */
export const changesOfMind = scenario({
  name: 'widgets get what they ask for',
  programs: {
    operator: { controllers: () => [controller], replicas: 2, leaderElection: true },
  },
  async setUp({ client }) {
    await installKinds(client, [Widgets]);
    await client.resource(Deployments).create(theirs);
  },
  async story({ apply, client, sleep }) {
    const spec = { image: 'web:1' };
    await apply(Widgets.manifest({ metadata: theirs.metadata, spec }));
    await apply(Widgets.manifest({ metadata, spec }));
    await sleep(5_000);
    await apply(Widgets.manifest({ metadata, spec: { image: 'web:2', replicas: 3 } }));
    await sleep(5_000);
    const at = { namespace: 'default', name: 'first' };
    await client
      .resource(Deployments)
      .delete(at)
      .catch(() => undefined);
  },
  always: {
    'a Deployment belongs to its Widget': (state) =>
      ours(state).every((deployment) => {
        const widget = state.get(Widgets, metadata);
        return widget !== undefined && isControlledBy(deployment, widget);
      }),
    "somebody else's Deployment stays as it was": (state) =>
      state.get(Deployments, { namespace: 'default', name: 'theirs' })?.spec?.replicas === 7,
  },
  eventually: {
    'the Deployment is what was asked for last': (state) =>
      ours(state).some(
        ({ spec }) => spec?.replicas === 3 && spec.template.spec?.containers[0]?.image === 'web:2',
      ),
    'the status speaks of the newest generation': (state) => {
      const widget = state.get(Widgets, metadata);
      return (
        widget !== undefined && widget.status?.observedGeneration === widget.metadata.generation
      );
    },
  },
});
