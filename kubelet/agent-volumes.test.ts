// Volumes by the whole agent on the fake runtime, against a whole API server: what they hold, and how their failures are told.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigMaps, Pods, Secrets } from '../api/kinds.ts';
import { createLinuxSystem } from '../system/linux.ts';
import { AgentScene, isReady } from '../test/support/agent-scene.ts';
import { until } from '../test/support/until.ts';

let scene: AgentScene;
beforeEach(async () => {
  scene = await AgentScene.open();
});
afterEach(() => scene.close());

describe('volumes', () => {
  it('hold Secrets in memory only, and lend a part of themselves', async () => {
    await scene.client.resource(Secrets).create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'default', name: 'key' },
      stringData: { 'tls.key': 'hidden' },
    });
    const mount = { name: 'key', mountPath: '/key.pem', subPath: 'tls.key' };
    const created = await scene.createPod('web', {
      containers: [{ name: 'app', image: 'app:1', volumeMounts: [mount] }],
      volumes: [{ name: 'key', secret: { secretName: 'key', defaultMode: 0o400 } }],
    });
    await scene.podWhere('web', isReady);
    const folder = join(scene.dataDir, 'pods', created.metadata.uid ?? '');
    const mounted = () =>
      createLinuxSystem()
        .mounts()
        .filter(({ mountPoint }) => mountPoint.startsWith(folder));
    expect(mounted().map(({ type }) => type)).toEqual(['tmpfs', 'tmpfs']);
    expect(readFileSync(join(folder, '.subpaths', 'app', '0'), 'utf8')).toBe('hidden');
    await scene.client.resource(Pods).delete({ namespace: 'default', name: 'web' });
    await scene.gone('web');
    expect(mounted()).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it('show a ConfigMap, and follow it while the pod runs', async () => {
    const maps = scene.client.resource(ConfigMaps);
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'default', name: 'settings' },
    };
    await maps.create({ ...map, data: { 'a.conf': 'one' } });
    const created = await scene.createPod('web', {
      containers: [
        { name: 'app', image: 'app:1', volumeMounts: [{ name: 'config', mountPath: '/etc/app' }] },
      ],
      volumes: [{ name: 'config', configMap: { name: 'settings' } }],
    });
    await scene.podWhere('web', isReady);
    const path = join(scene.dataDir, 'pods', created.metadata.uid ?? '', 'config', 'a.conf');
    expect(readFileSync(path, 'utf8')).toBe('one');
    await maps.update({ ...map, data: { 'a.conf': 'two' } });
    await until(() => readFileSync(path, 'utf8') === 'two');
  });
});

describe('a container', () => {
  it('names the volume that cannot be set up', async () => {
    const volumes = [
      { name: 'v', configMap: { name: 'missing' } },
      { name: 'w', emptyDir: {} },
    ];
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    await scene.createPod('web', {
      volumes,
      containers: [{ name: 'app', image: 'app:1', volumeMounts }],
    });
    const text = 'MountVolume.SetUp failed for volume "v" : configmap "missing" not found';
    await scene.told('web', [`Warning FailedMount ${text}`]);
  });

  it.each([
    ['rbd', { monitors: ['m'], image: 'i' }, ''],
    [
      'csi',
      { driver: 'example.com' },
      ': driver name example.com not found in the list of registered CSI drivers',
    ],
  ])('tells which kind of volume is not supported: %s', async (kind, source, why) => {
    await scene.createPod('mounted', { volumes: [{ name: 'v', [kind]: source }] });
    await scene.told('mounted', [
      `Warning FailedMount MountVolume.SetUp failed for volume "v" : this node does not support volumes of kind ${kind}${why}`,
    ]);
  });
});
