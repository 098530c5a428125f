// Tokens in pods' volumes, by the whole agent on the fake runtime against a whole API server: there from the start, renewed
// in time, and gone with the pod.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { systemRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import type { Pod } from '../api/generated/types.ts';
import { ConfigMaps, Pods, ServiceAccounts } from '../api/kinds.ts';
import { createInformerFactory } from '../client/informer/informer-factory.ts';
import type { Client } from '../client/rest/client.ts';
import { createClient } from '../client/rest/rest-client.ts';
import { createLinuxSystem } from '../system/linux.ts';
import { anApiServer, type ClientServer } from '../test/support/client-server.ts';
import { until } from '../test/support/until.ts';
import { createLinuxHost } from './host/linux-host.ts';
import { createNodeAgent } from './agent.ts';
import { FakeImageStore } from './runtime/fake/fake-images.ts';
import { FakePodNetwork } from './runtime/fake/fake-network.ts';
import { FakeRuntime } from './runtime/fake/fake-runtime.ts';
import { unmountVolumes } from './volumes/disk-volumes.ts';

const NODE = 'node-1';
const namespace = 'default';
/** Four fifths of the shortest life that a token may have. */
const DUE_MS = 480_000;

let cluster: ClientServer;
let client: Client;
let dataDir: string;
let clock: VirtualClock;
let stop: () => Promise<void>;
beforeEach(async () => {
  cluster = await anApiServer();
  client = createClient(cluster.transport);
  dataDir = mkdtempSync(join(tmpdir(), 'pinnace-agent-'));
  clock = new VirtualClock(systemClock.now());
  const images = new FakeImageStore();
  images.add('app:1');
  const doors = { clock, random: systemRandom, logger: silentLogger };
  const informers = createInformerFactory({ ...doors, clock: systemClock, client });
  const network = new FakePodNetwork();
  const agent = createNodeAgent({
    ...doors,
    client,
    informers,
    nodeName: NODE,
    nodeIp: '127.0.0.1',
    runtime: new FakeRuntime({ clock, images }),
    images,
    network,
    host: createLinuxHost({ ...doors, system: createLinuxSystem(), network, dataDir }),
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    podCidr: '10.244.0.0/24',
  });
  const ending = new AbortController();
  informers.start(ending.signal);
  await agent.start(ending.signal);
  stop = async () => {
    ending.abort(new Error('the test is over'));
    await agent.done;
    await informers.finished();
  };
  const metadata = { namespace, name: 'default' };
  await client
    .resource(ServiceAccounts)
    .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
});
afterEach(async () => {
  await stop();
  await cluster.close();
  // An agent ends without touching what runs.
  unmountVolumes(createLinuxSystem(), join(dataDir, 'pods'));
  rmSync(dataDir, { recursive: true, force: true });
});

const createPod = (volumes: NonNullable<Pod['spec']>['volumes']) =>
  client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: 'p' },
    spec: { nodeName: NODE, containers: [{ name: 'app', image: 'app:1' }], volumes },
  });
const folderOf = (pod: Pod, volume: string) =>
  join(dataDir, 'pods', pod.metadata.uid ?? '', volume);
/** Waits with time going on in small steps. */
const untilThen = (condition: () => boolean | Promise<boolean>) =>
  until(async () => {
    await clock.advance(100);
    return await condition();
  });

it('a token is renewed before it ends, and what it was for is gone with the pod', async () => {
  await client.resource(ConfigMaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: 'kube-root-ca.crt' },
    data: { 'ca.crt': 'PEM' },
  });
  const short = { serviceAccountToken: { path: 'short', expirationSeconds: 600 } };
  const pod = await createPod([{ name: 'own', projected: { sources: [short] } }]);
  const file = join(folderOf(pod, 'own'), 'short');
  await untilThen(() => existsSync(file));
  const first = readFileSync(file, 'utf8');
  await clock.advance(DUE_MS);
  await untilThen(() => readFileSync(file, 'utf8') !== first);
  expect(readFileSync(file, 'utf8').split('.')).toHaveLength(3);
  await client.resource(Pods).delete({ namespace, name: 'p' }, { gracePeriodSeconds: 0 });
  await untilThen(() => !existsSync(folderOf(pod, 'own')));
});

it('a pod that comes before the certificate of its namespace starts when that is there', async () => {
  const pod = await createPod([]);
  const name = pod.spec?.volumes?.[0]?.name ?? '';
  const phase = async () => (await client.resource(Pods).get({ namespace, name: 'p' })).status;
  await untilThen(
    async () => (await phase())?.containerStatuses?.[0]?.state?.waiting !== undefined,
  );
  await client.resource(ConfigMaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: 'kube-root-ca.crt' },
    data: { 'ca.crt': 'PEM' },
  });
  await untilThen(async () => (await phase())?.phase === 'Running');
  const read = (file: string) => readFileSync(join(folderOf(pod, name), file), 'utf8');
  expect([read('ca.crt'), read('namespace')]).toEqual(['PEM', namespace]);
});
