// docs/guide/client.md does what it says: its code, against a whole cluster, in process and by its kubeconfig.
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ConfigMaps, Deployments, Pods } from '../../api/kinds.ts';
import type { Client } from '../../client/rest/client.ts';
import { startCluster, type TestCluster } from '../../testing/cluster/start-cluster.ts';
import { eventually } from '../../testing/eventually/eventually.ts';
import { guideFiles } from '../support/guide.ts';

const guide = guideFiles('docs/guide/client.md');
let cluster: TestCluster;
let client: Client;
beforeAll(async () => {
  cluster = await startCluster({
    nodes: 1,
    lives: { shop: { log: ['open'], exec: () => ({ exitCode: 0, stdout: 'welcome' }) } },
  });
  const { connect } = await guide.load<{
    connect: (environment: Record<string, string>) => Promise<Client>;
  }>('connect.ts');
  client = await connect({ KUBECONFIG: (await cluster.listen()).kubeconfig });
});
afterAll(async () => {
  client?.transport.close();
  await cluster?.close();
  guide.remove();
});

it('has right types', async () => {
  expect(guide.names).toEqual([
    'connect.ts',
    'verbs.ts',
    'apply.ts',
    'own-kind.ts',
    'pods.ts',
    'own-writes.ts',
  ]);
  expect(await guide.faults()).toBe('');
});

it('connects by a kubeconfig, owns what it writes, and hears warnings', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name: 'warned' },
    dta: {},
    data: { a: '1' },
  };
  const made = await client.resource(ConfigMaps).create(object, { fieldValidation: 'Warn' });
  expect(made.metadata.managedFields?.[0]?.manager).toBe('shop-operator');
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('unknown field "dta"'));
  warn.mockRestore();
});

it('counts visits, however many count at once, and lists them', async () => {
  const { countVisit, namesOf } = await guide.load<{
    countVisit: (client: Client, signal: AbortSignal) => Promise<object>;
    namesOf: (client: Client, selector: string) => Promise<string[]>;
  }>('verbs.ts');
  const { signal } = new AbortController();
  await countVisit(client, signal);
  await Promise.all([1, 2, 3, 4].map(() => countVisit(client, signal)));
  const ref = { namespace: 'default', name: 'visits' };
  expect((await client.resource(ConfigMaps).get(ref)).data).toEqual({ count: '5' });
  expect(await namesOf(client, '!kubernetes.io/x')).toContain('default/visits');
});

it('applies a size, and looks into the pods that come of it', async () => {
  const labels = { app: 'shop' };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'main', image: 'shop' }] },
  };
  await cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', namespace: 'default' },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  });
  const { scaleTo } = await guide.load<{
    scaleTo: (client: Client, replicas: number) => Promise<object>;
  }>('apply.ts');
  await scaleTo(client, 1);
  await eventually(
    client,
    Deployments,
    { namespace: 'default', name: 'shop' },
    { status: { readyReplicas: 1 } },
    { timeoutMs: 60_000 },
  );
  const [pod] = (await client.resource(Pods).list({ labelSelector: 'app=shop' })).items;
  const ref = { namespace: 'default', name: pod?.metadata.name ?? '' };
  const { look, open } = await guide.load<{
    look: (client: Client, pod: object) => Promise<object>;
    open: (client: Client, pod: object) => Promise<{ url: string; close: () => Promise<void> }>;
  }>('pods.ts');
  for (const each of [client, cluster.client])
    expect(await look(each, ref)).toEqual({ exitCode: 0, stdout: 'welcome', lines: ['open'] });
  const { url, close } = await open(client, ref);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await close();
});

it('names kinds of its own, and reads its own writes', async () => {
  const { schedules } = await guide.load<{ schedules: (client: Client) => Promise<string[]> }>(
    'own-kind.ts',
  );
  await expect(schedules(client)).rejects.toMatchObject({ reason: 'NotFound' });
  const { makeAndRead } = await guide.load<{
    makeAndRead: (client: Client, signal: AbortSignal) => Promise<object>;
  }>('own-writes.ts');
  const stop = new AbortController();
  expect(await makeAndRead(client, stop.signal)).toEqual({ made: true, gone: true });
  stop.abort(new Error('the test is over'));
});
