// Real clients against the HTTPS port of a test cluster, whose controllers run in the test's own process.
import { existsSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { ConfigMaps, Deployments } from '../../api/kinds.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { startCluster } from '../../testing/index.ts';
import { aDeployment } from '../support/controlled-cluster.ts';
import { localKubectl } from '../support/local-kubectl.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

it('kubectl works on it, and its kubeconfig goes with the cluster', async () => {
  const cluster = await startCluster();
  endings.push(() => cluster.close());
  const { kubeconfig, url } = await cluster.listen();
  expect(await cluster.listen()).toMatchObject({ kubeconfig, url });
  const local = localKubectl(kubeconfig);
  endings.push(() => local.close());
  const { kubectl } = local;
  await kubectl.apply(aDeployment('web', { replicas: 3 }));
  const { spec } = await cluster.client
    .resource(Deployments)
    .get({ namespace: 'default', name: 'web' });
  expect(spec?.replicas).toBe(3);
  await kubectl.wait('--for=create', 'pod', '-l', 'app=web');
  expect(await kubectl.ok(['auth', 'whoami'])).toContain('system:masters');
  await cluster.close();
  expect(existsSync(kubeconfig)).toBe(false);
});

it('serves over HTTPS while its own time stands still', async () => {
  const cluster = await startCluster({ clock: 'virtual', controllers: 'none' });
  endings.push(() => cluster.close());
  const { kubeconfig } = await cluster.listen();
  const { transport } = await loadKubeconfig(kubeconfig);
  const http = createHttpTransport(transport);
  endings.push(() => http.close());
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'one', namespace: 'default' },
  };
  const made = await createClient(http).resource(ConfigMaps).create(object);
  expect(made.metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z');
});

it('refuses to listen once it is closed', async () => {
  const cluster = await startCluster({ controllers: 'none' });
  await cluster.close();
  expect(() => cluster.listen()).toThrow('the cluster is closed');
});
