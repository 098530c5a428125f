// The controller in a whole cluster of its own, on virtual time: pods run, Deployments roll, dependents are collected.
import { Deployments, Pods } from 'pinnace/client';
import { installKinds } from 'pinnace/controllers';
import { startCluster, type TestCluster } from 'pinnace/testing';
import 'pinnace/testing/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controller } from '../src/controller.ts';
import { Widgets } from '../src/kind.ts';

const metadata = { name: 'first', namespace: 'default' };
const first = (replicas?: number) =>
  Widgets.manifest({
    metadata,
    spec: { image: 'web:1', ...(replicas !== undefined && { replicas }) },
  });

describe('in a cluster', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await startCluster({ clock: 'virtual', lives: { web: { readyAfterMs: 2_000 } } });
    await installKinds(cluster.client, [Widgets]);
  });
  afterEach(() => cluster.close());

  it('runs as many pods as are asked for, and says when they are ready', async () => {
    cluster.run([controller]);
    await cluster.apply(first(2));
    await expect(cluster.client).toEventually(Widgets, metadata, {
      status: { readyReplicas: 2, conditions: [{ type: 'Ready', status: 'True' }] },
    });
    await cluster.apply(first(3));
    await expect(cluster.client).toEventually(Widgets, metadata, { status: { readyReplicas: 3 } });
  });

  it('goes on after it was killed', async () => {
    const program = cluster.run([controller]);
    await cluster.apply(first());
    await expect(cluster.client).toEventually(Widgets, metadata, { status: { readyReplicas: 1 } });
    await program.crash();
    await cluster.apply(first(2));
    cluster.run([controller]);
    await expect(cluster.client).toEventually(Widgets, metadata, { status: { readyReplicas: 2 } });
  });

  it('leaves nothing behind', async () => {
    cluster.run([controller]);
    await cluster.apply(first());
    await expect(cluster.client).toEventually(Widgets, metadata, { status: { readyReplicas: 1 } });
    await cluster.client.resource(Widgets).delete(metadata);
    await expect(cluster.client).toEventuallyBeGone(Deployments, metadata);
    await expect(cluster.client).toEventuallyList(
      Pods,
      { namespace: 'default' },
      (pods) => pods.length === 0,
    );
  });

  it('leaves alone what is not its own', async () => {
    const labels = { app: 'theirs' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'b' }] } };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    await cluster.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec });
    cluster.run([controller]);
    await cluster.apply(first());
    await expect(cluster.client).toEventually(Widgets, metadata, {
      status: { conditions: [{ type: 'Ready', status: 'False', reason: 'NameTaken' }] },
    });
    await expect(cluster.client).toEventually(Deployments, metadata, { spec: { replicas: 0 } });
  });
});

describe('without a cluster', () => {
  it('has one pod unless told', () => {
    expect(Widgets.object({ metadata, spec: { image: 'web:1' } }).spec.replicas).toBe(1);
  });

  it('refuses what makes no sense', () => {
    const wrong = Widgets.validate(first(21)).map(({ field }) => field);
    expect(wrong).toEqual(['spec.replicas']);
  });
});
