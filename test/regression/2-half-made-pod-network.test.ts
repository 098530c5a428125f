// An agent that is killed while it connects a pod leaves a link without an address; the next one took it for whole.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { linkName, namespaceName, type NetworkLayout } from '../../network/layout.ts';
import { RoutedPodNetwork } from '../../network/pod/routed-pod-network.ts';
import { createRecordingSystem, type RecordingSystem } from '../../system/recording.ts';

const layout: NetworkLayout = {
  clusterId: 'abcdef',
  podCidr: '10.244.0.0/16',
  nodePodCidr: '10.244.0.0/24',
  serviceCidr: '10.96.0.0/16',
  nodeIp: '10.244.255.1',
  dnsIp: '10.96.0.10',
  dnsPort: 10_053,
};
const UID = '0f9a63a4-0000-4000-8000-000000000000';

let stateDir: string;
let system: RecordingSystem;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'pinnace-network-'));
  system = createRecordingSystem();
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const settingOf = (ip: string) => `/proc/sys/net/ipv4/conf/${linkName(layout, ip)}/route_localnet`;
const addresses = () => Array.from(system.links.values(), ({ address }) => address);

it('is made anew when its maker died before it was whole', async () => {
  const dead = new Promise<never>(() => undefined);
  const reached = Promise.withResolvers<void>();
  // The link is there, and the namespace; nobody but the agent knows what is in them.
  const makeRoutedLink: RecordingSystem['makeRoutedLink'] = () => {
    reached.resolve();
    return dead;
  };
  const network = new RoutedPodNetwork({ system: { ...system, makeRoutedLink }, layout, stateDir });
  void network.setUp(UID);
  await reached.promise;
  const [attachment] = await network.list();
  system.write(settingOf(attachment?.ip ?? ''), '0');
  const { ip } = await new RoutedPodNetwork({ system, layout, stateDir }).setUp(UID);
  expect(addresses()).toEqual([ip]);
});

it('is left as it is once it is whole', async () => {
  const { ip } = await new RoutedPodNetwork({ system, layout, stateDir }).setUp(UID);
  system.links.clear();
  expect(await new RoutedPodNetwork({ system, layout, stateDir }).setUp(UID)).toMatchObject({ ip });
  expect(addresses()).toEqual([]);
});

it('is made anew when its link has gone', async () => {
  const { netnsPath, ip } = await new RoutedPodNetwork({ system, layout, stateDir }).setUp(UID);
  const later = createRecordingSystem();
  later.write(netnsPath, '');
  await new RoutedPodNetwork({ system: later, layout, stateDir }).setUp(UID);
  expect(later.deletedLinks).toEqual([linkName(layout, ip)]);
  expect(later.links.size).toBe(1);
});

it('is made in the place of what a dead agent was still making', async () => {
  let refused = 0;
  const makeNetwork: RecordingSystem['makeNetwork'] = (path) => {
    if (refused === 0) system.write(path, '');
    refused += 1;
    system.makeNetwork(path);
  };
  const network = new RoutedPodNetwork({ system: { ...system, makeNetwork }, layout, stateDir });
  const { ip } = await network.setUp(UID);
  expect(refused).toBe(2);
  expect(system.deletedLinks).toEqual([linkName(layout, ip)]);
  expect(addresses()).toEqual([ip]);
});

const DAMAGED = [
  '',
  '{"podUid":"',
  'null',
  '{}',
  '{"podUid":"x","netnsPath":"/n","ip":"10.244.0.9"}',
];

it.each(DAMAGED)(
  'is found again by the address that the pod has when its file says %s',
  async (text) => {
    mkdirSync(join(stateDir, 'pods'));
    const file = join(stateDir, 'pods', `${UID}.json`);
    writeFileSync(file, text);
    const stdout = '2: eth0    inet 10.244.0.7/32 scope global eth0\\       valid_lft forever';
    system.answer(`ip -n ${namespaceName(layout, UID)} -oneline`, { stdout });
    const network = new RoutedPodNetwork({ system, layout, stateDir });
    await network.recover();
    expect(await network.list()).toMatchObject([{ podUid: UID, ip: '10.244.0.7' }]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ ip: '10.244.0.7' });
    expect((await network.setUp('another')).ip).not.toBe('10.244.0.7');
  },
);

it('is forgotten when its file is damaged and there is no such pod any more', async () => {
  mkdirSync(join(stateDir, 'pods'));
  writeFileSync(join(stateDir, 'pods', `${UID}.json`), '{');
  system.answer(`ip -n ${namespaceName(layout, UID)}`, {
    exitCode: 1,
    stderr: 'Cannot open network namespace',
  });
  const network = new RoutedPodNetwork({ system, layout, stateDir });
  await network.recover();
  expect(await network.list()).toEqual([]);
  expect(readdirSync(join(stateDir, 'pods'))).toEqual([]);
});
