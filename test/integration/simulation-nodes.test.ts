// Nodes of a simulated cluster that fail by choice.
import { expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { Pods, ReplicaSets } from '../../api/kinds.ts';
import { explore, scenario } from '../../testing/simulation/index.ts';

it('lose power and are cut off by choice, and pods are ready again in the end', async () => {
  const labels = { app: 'mill' };
  const isReady = ({ metadata, status }: Pod) =>
    metadata.deletionTimestamp === undefined &&
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  const fails = scenario({
    name: 'nodes that fail',
    programs: {},
    nodes: 2,
    faults: { nodes: true, delays: false },
    controllers: [
      'replicaset-controller',
      'node-lifecycle-controller',
      'taint-eviction-controller',
      'pod-garbage-collector',
    ],
    story: async ({ client, sleep }) => {
      await client.resource(ReplicaSets).create({
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { namespace: 'default', name: 'mill' },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { containers: [{ name: 'mill', image: 'm' }] },
          },
        },
      });
      await sleep(120_000);
    },
    eventually: { 'two are ready': (state) => state.list(Pods).filter(isReady).length === 2 },
    within: 900_000,
  });
  const seen = new Set<string>();
  const { failures } = await explore(fails, {
    runs: 12,
    onRun: ({ history }) => {
      for (const { who, text, isOdd } of history)
        if (isOdd) seen.add(`${who} ${/killed|stands still/.exec(text)?.[0]}`);
    },
  });
  expect(failures.map(({ story }) => story)).toEqual([]);
  const all = ['node-1', 'node-2'].flatMap((node) => [`${node} killed`, `${node} stands still`]);
  expect([...seen].sort()).toEqual(all);
});
