// The operator of examples/09-gitops in a whole cluster, on virtual time, with a repository in memory: what is applied, what is put right,
// what is pruned, and what never is.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigMaps, createClient, Deployments, Namespaces, type Transport } from 'pinnace/client';
import { installKinds } from 'pinnace/controllers';
import { simulate, startCluster, type RunningProgram, type TestCluster } from 'pinnace/testing';
import 'pinnace/testing/vitest';
import { stringify } from 'yaml';
import { gitSync } from '../../examples/09-gitops/controller.ts';
import { type GitSync, GitSyncs } from '../../examples/09-gitops/kind.ts';
import { MemoryRepository } from '../../examples/09-gitops/memory-repository.ts';
import { followsItsRepository } from '../../examples/09-gitops/scenario.ts';
import { intercepted } from '../support/intercepted-transport.ts';

const AT = { namespace: 'default', name: 'shop' };
const MINUTE = 60_000;

const config = (name: string, text: string, namespace = 'default') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { text },
});
const yaml = (...objects: readonly object[]) =>
  objects.map((each) => stringify(each)).join('---\n');
const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

describe('in a cluster', () => {
  let cluster: TestCluster;
  let repository: MemoryRepository;
  let program: RunningProgram;
  beforeEach(async () => {
    cluster = await startCluster({ clock: 'virtual' });
    repository = new MemoryRepository();
    await installKinds(cluster.client, [GitSyncs]);
    program = cluster.run([gitSync(repository)]);
    await program.synced;
  });
  afterEach(() => cluster.close());

  const configs = () => cluster.client.resource(ConfigMaps);
  const create = (spec: Partial<GitSync['spec']> = {}) =>
    cluster.client
      .resource(GitSyncs)
      .create(GitSyncs.object({ metadata: AT, spec: { repository: '/srv/shop.git', ...spec } }));
  const ready = (reason: string, more: object = {}) => ({
    status: { conditions: [{ type: 'Ready', reason, ...more }] },
  });
  const isAt = (revision: string) =>
    expect(cluster.client).toEventually(GitSyncs, AT, { status: { revision } });
  const gone = (name: string) =>
    expect(cluster.client).toEventuallyBeGone(ConfigMaps, { namespace: 'default', name });

  it('applies a folder in an order that works, a definition before its objects, and follows each commit', async () => {
    const definition = structuredClone(GitSyncs.definition());
    definition.metadata.name = 'toys.example.com';
    definition.spec.group = 'example.com';
    definition.spec.names = { kind: 'Toy', listKind: 'ToyList', plural: 'toys', singular: 'toy' };
    const toy = {
      apiVersion: 'example.com/v1',
      kind: 'Toy',
      metadata: { name: 'bear' },
      spec: { repository: '/x' },
    };
    const tree = {
      'README.md': 'no manifest',
      'other/a.yaml': yaml(config('other', '1')),
      'deploy/a.yaml': yaml(toy, config('inside', '1', 'shop')),
      'deploy/b.yml': yaml(definition, namespace('shop')),
      'deploy/c.json': JSON.stringify(config('plain', '1')),
    };
    const first = repository.commit(tree);
    await create({ folder: 'deploy' });
    await isAt(first);
    const sync = await cluster.client.resource(GitSyncs).get(AT);
    expect(sync.status).toMatchObject({ objects: 5, failures: [], inventory: { length: 5 } });
    expect((await configs().get({ namespace: 'shop', name: 'inside' })).data).toEqual({
      text: '1',
    });
    const second = repository.commit({
      ...tree,
      'deploy/c.json': JSON.stringify(config('plain', '2')),
    });
    await cluster.advance(MINUTE);
    await isAt(second);
    expect((await configs().get({ ...AT, name: 'plain' })).data).toEqual({ text: '2' });
  });

  it('prunes what left, but no namespace, and reads a revision once', async () => {
    const all = [
      namespace('shop'),
      config('in', '1', 'shop'),
      config('out', '1'),
      config('stays', '1'),
    ];
    repository.commit({ 'all.yaml': yaml(...all) });
    await create();
    await expect(cluster.client).toEventually(GitSyncs, AT, ready('Applied'));
    await cluster.advance(10 * MINUTE);
    expect(repository.reads).toBe(1);
    const next = repository.commit({ 'all.yaml': yaml(config('stays', '1')) });
    await cluster.advance(2 * MINUTE);
    await isAt(next);
    await gone('out');
    await expect(cluster.client).toEventuallyBeGone(ConfigMaps, { namespace: 'shop', name: 'in' });
    await cluster.client.resource(Namespaces).get({ name: 'shop' });
    const { status } = await cluster.client.resource(GitSyncs).get(AT);
    expect(status?.inventory?.map(({ name }) => name)).toEqual(['stays']);
  });

  it('puts right at once what somebody changed, unmarked or deleted, and counts it', async () => {
    repository.commit({ 'all.yaml': yaml(config('a', '1'), config('b', '1'), config('c', '1')) });
    await create({ intervalSeconds: 86_400 });
    await expect(cluster.client).toEventually(GitSyncs, AT, ready('Applied'));
    await configs().patch({ ...AT, name: 'a' }, { type: 'merge', body: { data: { text: 'x' } } });
    await configs().patch({ ...AT, name: 'a' }, { type: 'merge', body: { data: { more: 'own' } } });
    await configs().delete({ ...AT, name: 'b' });
    await cluster.settled();
    expect((await configs().get({ ...AT, name: 'a' })).data).toEqual({ text: '1', more: 'own' });
    expect((await configs().get({ ...AT, name: 'b' })).data).toEqual({ text: '1' });
    const { status } = await cluster.client.resource(GitSyncs).get(AT);
    expect(status?.driftCorrected).toBe(2);
  });

  it('is not kept busy by the status of what it applied', async () => {
    const labels = { app: 'web' };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 80 }] }] },
        },
      },
    };
    repository.commit({ 'web.yaml': yaml(deployment) });
    await create();
    const at = { namespace: 'default', name: 'web' };
    await expect(cluster.client).toEventually(Deployments, at, {
      status: { availableReplicas: 2 },
    });
    await cluster.advance(5 * MINUTE);
    const { status } = await cluster.client.resource(GitSyncs).get(AT);
    expect(status).toMatchObject({ driftCorrected: 0, objects: 1 });
  });

  it('takes nothing that is somebody’s own, says so, prunes nothing meanwhile, and adopts at a word', async () => {
    await configs().create(config('theirs', 'theirs'));
    repository.commit({ 'all.yaml': yaml(config('old', '1')) });
    await create();
    await expect(cluster.client).toEventually(GitSyncs, AT, ready('Applied'));
    const next = repository.commit({
      'all.yaml': yaml(config('new', '1'), config('theirs', 'ours')),
    });
    await cluster.advance(MINUTE);
    await expect(cluster.client).toEventually(
      GitSyncs,
      AT,
      ready('ApplyFailed', { status: 'False' }),
    );
    const { status } = await cluster.client.resource(GitSyncs).get(AT);
    expect(status?.failures).toEqual([
      { object: 'ConfigMap default/theirs', message: expect.stringContaining('annotate it') },
    ]);
    for (const [name, text] of [
      ['old', '1'],
      ['new', '1'],
      ['theirs', 'theirs'],
    ] as const)
      expect((await configs().get({ ...AT, name })).data).toEqual({ text });
    const annotations = { 'gitops.example.com/adopt-by': 'default/shop' };
    await configs().patch(
      { ...AT, name: 'theirs' },
      { type: 'merge', body: { metadata: { annotations } } },
    );
    await cluster.advance(MINUTE);
    await isAt(next);
    await gone('old');
    expect((await configs().get({ ...AT, name: 'theirs' })).data).toEqual({ text: 'ours' });
  });

  it('leaves all as it is while the repository cannot be read or has a broken file', async () => {
    const good = { 'a.yaml': yaml(config('a', '1')), 'b.yaml': yaml(config('b', '1')) };
    repository.commit(good);
    await create();
    await expect(cluster.client).toEventually(GitSyncs, AT, ready('Applied'));
    repository.commit({ 'a.yaml': 'kind: [', 'b.yaml': yaml(config('b', '2')) });
    await cluster.advance(MINUTE);
    await expect(cluster.client).toEventually(GitSyncs, AT, ({ status }) =>
      (status?.conditions?.[0]?.message ?? '').startsWith('error parsing a.yaml'),
    );
    for (const name of ['a', 'b'])
      expect((await configs().get({ ...AT, name })).data).toEqual({ text: '1' });
    const body = { spec: { folder: 'missing' } };
    await cluster.client.resource(GitSyncs).patch(AT, { type: 'merge', body });
    await expect(cluster.client).toEventually(GitSyncs, AT, ({ status }) =>
      (status?.conditions?.[0]?.message ?? '').includes('no folder missing'),
    );
    await configs().get({ ...AT, name: 'a' });
  });

  it('goes with what it made, or without where it is not to prune; suspended it does nothing', async () => {
    repository.commit({ 'all.yaml': yaml(config('a', '1'), config('b', '1')) });
    const patch = (spec: object) =>
      cluster.client.resource(GitSyncs).patch(AT, { type: 'merge', body: { spec } });
    await create();
    await expect(cluster.client).toEventually(GitSyncs, AT, ready('Applied'));
    await patch({ suspend: true });
    await expect(cluster.client).toEventually(GitSyncs, AT, ready('Suspended'));
    await configs().delete({ ...AT, name: 'b' });
    await cluster.advance(5 * MINUTE);
    await gone('b');
    await patch({ suspend: false, prune: false });
    await expect(cluster.client).toEventually(ConfigMaps, { ...AT, name: 'b' }, {});
    await patch({ prune: true });
    await cluster.client.resource(GitSyncs).delete(AT);
    await expect(cluster.client).toEventuallyBeGone(GitSyncs, AT);
    expect(
      (await configs().list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name),
    ).toEqual(['kube-root-ca.crt']);
  });

  it('goes on where it was killed, and forgets no object that was half-way in', async () => {
    repository.commit({ 'all.yaml': yaml(config('a', '1'), config('b', '1')) });
    await create();
    await expect(cluster.client).toEventually(ConfigMaps, { ...AT, name: 'a' }, {});
    await program.crash();
    const next = repository.commit({ 'all.yaml': yaml(config('c', '1')) });
    cluster.run([gitSync(repository)]);
    await isAt(next);
    await gone('a');
    await gone('b');
  });
});

it.each(['mine', 'theirs'])(
  'leaves %s to somebody who makes the object at the same moment',
  async (text) => {
    await using cluster = await startCluster({ clock: 'virtual', nodes: 0, controllers: 'none' });
    const { client } = cluster;
    await installKinds(client, [GitSyncs]);
    const repository = new MemoryRepository();
    repository.commit({ 'all.yaml': yaml(config('raced', 'mine')) });
    const transport = intercepted(client.transport, {
      async request({ method, path }, send) {
        if (method === 'PATCH' && path.endsWith('/raced') && !(await hasRaced()))
          await client.resource(ConfigMaps).create(config('raced', text));
        return send();
      },
    });
    const raced = { namespace: 'default', name: 'raced' };
    const hasRaced = () =>
      client
        .resource(ConfigMaps)
        .get(raced)
        .then(Boolean, () => false);
    await cluster.run([gitSync(repository)], { client: createClient(transport) }).synced;
    const spec = { repository: '/srv/shop.git' };
    await client.resource(GitSyncs).create(GitSyncs.object({ metadata: AT, spec }));
    await expect(client).toEventually(GitSyncs, AT, { status: { failures: [{}] } });
    const { data, metadata } = await client.resource(ConfigMaps).get(raced);
    expect([data, metadata.labels]).toEqual([{ text }, undefined]);
  },
);

it('watches the kinds of what it applied, and lets them go with the last object', async () => {
  await using cluster = await startCluster({ clock: 'virtual', nodes: 0, controllers: 'none' });
  const { client } = cluster;
  await installKinds(client, [GitSyncs]);
  const watched = new Set<string>();
  const transport: Transport = {
    ...intercepted(client.transport, {}),
    async *watch(call) {
      if (!call.query?.['labelSelector']) return yield* client.transport.watch(call);
      watched.add(call.path);
      try {
        yield* client.transport.watch(call);
      } finally {
        watched.delete(call.path);
      }
    },
  };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } };
  const repository = new MemoryRepository();
  repository.commit({ 'all.yaml': yaml(config('a', '1'), config('b', '1'), secret) });
  await cluster.run([gitSync(repository)], { client: createClient(transport) }).synced;
  const spec = { repository: '/srv/shop.git' };
  await client.resource(GitSyncs).create(GitSyncs.object({ metadata: AT, spec }));
  await cluster.settled();
  expect([...watched].sort()).toEqual(['/api/v1/configmaps', '/api/v1/secrets']);
  repository.commit({});
  await cluster.advance(2 * MINUTE);
  expect((await client.resource(GitSyncs).get(AT)).status?.inventory).toEqual([]);
  expect([...watched]).toEqual([]);
});

const LONG = process.env['PINNACE_LONG'] === '1';

it(
  'keeps its word whatever is late, lost or dies',
  async () => {
    const report = await simulate(followsItsRepository, { runs: LONG ? 1500 : 40, seed: 1 });
    console.log(`${report.runs} runs in ${Math.round(report.elapsedMs)} ms`);
  },
  LONG ? 1_800_000 : 600_000,
);
