// docs/guide/informers.md does what it says: its code runs against a server, and its tables name what there is.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { Figures } from '../../base/figures.ts';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import type { Pod } from '../../api/generated/types.ts';
import { ConfigMaps, Secrets } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { InformerFigures } from '../../client/informer/informer-figures.ts';
import type { OwnedInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { InformerFactoryOptions } from '../../client/informer/options.ts';
import { TRANSITIONS } from '../../client/informer/reflector-machine.ts';
import type { Client } from '../../client/rest/client.ts';
import { startCluster, type TestCluster } from '../../testing/cluster/start-cluster.ts';
import { guideFiles } from '../support/guide.ts';
import { until } from '../support/until.ts';

const PAGE = 'docs/guide/informers.md';
const guide = guideFiles(PAGE);
const stop = new AbortController();
const running: OwnedInformerFactory[] = [];
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ controllers: 'none', scheduler: false, nodes: 0 });
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
});
afterAll(async () => {
  stop.abort(new Error('the test is over'));
  for (const informers of running) await informers.finished();
  await cluster?.close();
  guide.remove();
});

const aPod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'shop:1' }] },
});

it('has right types', async () => {
  expect(guide.names).toEqual(['pods-by-node.ts', 'lean.ts']);
  expect(await guide.faults()).toBe('');
});

it('finds pods by their node, and tells of changes', async () => {
  const { podsByNode } = await guide.load<{
    podsByNode: (
      client: Client,
      signal: AbortSignal,
    ) => Promise<{ informers: OwnedInformerFactory; seen: string[]; on: (node: string) => Pod[] }>;
  }>('pods-by-node.ts');
  const { informers, seen, on } = await podsByNode(cluster.client, stop.signal);
  running.push(informers);
  await cluster.apply(aPod('shop'));
  await until(() => on('node-1').length === 1);
  expect(seen).toEqual(['+shop']);
});

it('holds no more than it is told to', async () => {
  const { leanInformers } = await guide.load<{
    leanInformers: (options: InformerFactoryOptions) => Record<
      'ofShop' | 'inTwo' | 'names',
      Informer<KubeObject>
    > & {
      informers: OwnedInformerFactory;
    };
  }>('lean.ts');
  const doors = { clock: systemClock, random: seededRandom(1), logger: silentLogger };
  const lean = leanInformers({ client: cluster.client, ...doors });
  running.push(lean.informers);
  for (const name of ['shop', 'bank', 'other']) {
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const metadata = { name: 'settings', namespace: name };
    await cluster.apply({ apiVersion: 'v1', kind: ConfigMaps.kind, metadata, data: {} });
  }
  await cluster.apply(aPod('shop'), aPod('bank'));
  const metadata = { name: 's', namespace: 'default' };
  await cluster.apply({ apiVersion: 'v1', kind: Secrets.kind, metadata, stringData: { a: 'b' } });
  lean.informers.start(stop.signal);
  await lean.informers.synced();
  expect(lean.ofShop.list().map((pod) => Object.keys(pod))).toEqual([
    expect.not.arrayContaining(['spec']),
  ]);
  expect(lean.inTwo.list().map(({ metadata: { namespace } }) => namespace)).toEqual([
    'shop',
    'bank',
  ]);
  expect(lean.names.get('default/s')).not.toHaveProperty('data');
});

it('names every transition and every figure', async () => {
  const page = readFileSync(PAGE, 'utf8');
  const figures = new Figures();
  expect(new InformerFigures(figures)).toBeDefined();
  const metrics = Array.from(
    (await figures.text()).matchAll(/^# TYPE (\w+)/gm),
    ([, name]) => name,
  );
  expect(metrics.length).toBeGreaterThan(5);
  const rows = Array.from(page.matchAll(/^\| `(\w+)`/gm), ([, name]) => name);
  expect(rows).toEqual(expect.arrayContaining([...TRANSITIONS, ...metrics]));
});
