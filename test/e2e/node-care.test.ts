// What a real node does about its pods by itself: limits of what they write, static pods, and its own end.
// One cluster; the last test ends it.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { shellPod } from '../clients/objects.ts';
import { SHELL_IMAGE } from '../support/tiny-images.ts';

let place: string;
let manifests: string;
let cluster: TestCluster;
let isUp = false;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), 'pinnace-node-care-'));
  manifests = join(place, 'manifests');
  cluster = await startTestCluster({
    node: true,
    kubeletConfig: {
      staticPodPath: manifests,
      shutdownGracePeriod: '60s',
      shutdownGracePeriodCriticalPods: '10s',
      systemReserved: { cpu: '250m', 'ephemeral-storage': '1Gi' },
    },
  });
  isUp = true;
});
afterAll(async () => {
  if (isUp) await cluster?.stop();
  rmSync(place, { recursive: true, force: true });
});

const failed = (pod: string) =>
  cluster.kubectl.wait('--for=jsonpath={.status.phase}=Failed', `pod/${pod}`);
const field = (what: string, path: string) =>
  cluster.kubectl.ok(['get', ...what.split(' '), '-o', `jsonpath={${path}}`]);

it('tells of its size less what is reserved, and of what it can do', async () => {
  const node = `node ${cluster.facts.nodeName}`;
  const cpus = Number(await field(node, '.status.capacity.cpu'));
  expect(await field(node, '.status.allocatable.cpu')).toBe(`${cpus * 1000 - 350}m`);
  const kibi = async (path: string) => Number((await field(node, path)).replace('Ki', ''));
  const room = await kibi('.status.capacity.ephemeral-storage');
  // The reservation, and the threshold under which pods are evicted.
  expect(await kibi('.status.allocatable.ephemeral-storage')).toBe(room - 2 * 2 ** 20);
  expect(await field(node, '.status.conditions[?(@.type=="DiskPressure")].reason')).toBe(
    'KubeletHasNoDiskPressure',
  );
});

it('evicts pods that have written more than they may: into a volume, and into their own files', async () => {
  const write = (path: string) => `dd if=/dev/zero of=${path} bs=1M count=8; sleep 1000`;
  const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '2Mi' } }];
  const volumeMounts = [{ name: 'cache', mountPath: '/cache' }];
  const limits = { 'ephemeral-storage': '2Mi' };
  const pods = [
    shellPod('volume', write('/cache/x'), { spec: { volumes }, container: { volumeMounts } }),
    shellPod('layer', write('/x'), { container: { resources: { limits } } }),
    shellPod('frugal', 'echo x > /x; sleep 1000', { container: { resources: { limits } } }),
  ];
  for (const pod of pods) await cluster.kubectl.apply(pod);
  await Promise.all([failed('volume'), failed('layer')]);
  expect(await field('pod volume', '.status.reason')).toBe('Evicted');
  expect(await field('pod volume', '.status.message')).toBe(
    'Usage of EmptyDir volume "cache" exceeds the limit "2Mi". ',
  );
  expect(await field('pod layer', '.status.message')).toBe(
    'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ',
  );
  await cluster.kubectl.wait('--for=jsonpath={.status.phase}=Running', 'pod/frugal');
});

it('runs the pods of its directory, whatever becomes of their copies', async () => {
  const name = `beside-${cluster.facts.nodeName}`;
  const pod = shellPod('beside', 'while :; do sleep 1; done');
  mkdirSync(manifests, { recursive: true });
  writeFileSync(join(manifests, 'beside.json'), JSON.stringify(pod));
  await cluster.kubectl.wait('--for=create', `pod/${name}`);
  await cluster.kubectl.wait('--for=condition=Ready', `pod/${name}`);
  const container = () => field(`pod ${name}`, '.status.containerStatuses[0].containerID');
  const [uid, id] = [await field(`pod ${name}`, '.metadata.uid'), await container()];
  await cluster.kubectl.ok(['delete', 'pod', name, '--wait=false']);
  // The copy that is deleted stays until its node lets it go.
  await expect.poll(() => field(`pod ${name}`, '.metadata.uid')).not.toBe(uid);
  await cluster.kubectl.wait('--for=condition=Ready', `pod/${name}`);
  expect(await container()).toBe(id);
  expect(await cluster.kubectl.ok(['exec', name, '--', 'id'])).toContain('uid=0');
  rmSync(join(manifests, 'beside.json'));
  await cluster.kubectl.wait('--for=delete', `pod/${name}`);
});

it('gives its pods their grace when it is told to go', async () => {
  const said = join(place, 'said');
  const script = `trap "echo bye > ${said}; exit 0" TERM; touch ${said}.ready; while :; do sleep 0.1; done`;
  await cluster.kubectl.apply(
    shellPod('polite', script, {
      spec: {
        volumes: [{ name: 'place', hostPath: { path: place } }],
        terminationGracePeriodSeconds: 30,
      },
      container: {
        image: SHELL_IMAGE,
        volumeMounts: [{ name: 'place', mountPath: place }],
        readinessProbe: { exec: { command: ['cat', `${said}.ready`] }, periodSeconds: 1 },
      },
    }),
  );
  await cluster.kubectl.wait('--for=condition=Ready', 'pod/polite');
  isUp = false;
  await cluster.stop();
  expect(existsSync(said) && readFileSync(said, 'utf8')).toBe('bye\n');
});
