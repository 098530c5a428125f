// Volumes that stand for claims, bound by the cluster to the volumes that there are: what programs see of them, and what is told while
// they cannot.
import { mkdirSync, symlinkSync } from 'node:fs';
import type { PersistentVolume } from '../../../api/generated/types.ts';
import { PersistentVolumeClaims, PersistentVolumes } from '../../../api/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { createLinuxSystem } from '../../../system/linux.ts';
import { until } from '../../support/until.ts';
import type { Witness } from '../running/witness.ts';
import {
  aPod,
  both,
  condition,
  HOST_FOLDER,
  phase,
  ready,
  REAL,
  type Scenario,
  succeeded,
} from '../scenario.ts';

const system = createLinuxSystem();
const storage = '1Mi';

/** A claim of the name `data` for the volume of that name. */
function claim(
  volumeName: string,
  accessMode = 'ReadWriteOnce',
  volumeMode = 'Filesystem',
): KubeObject {
  const spec = {
    storageClassName: '',
    accessModes: [accessMode],
    volumeMode,
    resources: { requests: { storage } },
    volumeName,
  };
  const metadata = { name: 'data' };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec } as KubeObject;
}

/** Makes the volume that the claim names, in the size and for the use that it asks for. */
async function provide({ world, namespace }: Witness, spec: PersistentVolume['spec']) {
  const claims = world.client.resource(PersistentVolumeClaims);
  const { accessModes, volumeName } = (await claims.get({ namespace, name: 'data' })).spec ?? {};
  await world.client.resource(PersistentVolumes).create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName ?? '' },
    spec: { capacity: { storage }, accessModes, ...spec } as PersistentVolume['spec'],
  });
}

const bound = (spec: PersistentVolume['spec']) => ({
  check: (witness: Witness) => provide(witness, spec),
  why: 'makes the volume',
});
const onHost = (folder: string) => ({
  hostPath: { path: `${HOST_FOLDER}/${folder}`, type: 'DirectoryOrCreate' },
});
const node = (value: string) => ({
  required: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: [value] }] },
    ],
  },
});

/** A pod that mounts the claim at /v and runs a script once. */
const aPodWith = (script: string, more: object = {}, spec: object = {}) =>
  aPod(
    {
      restartPolicy: 'Never',
      ...spec,
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data', ...more } }],
    },
    { command: ['/bin/sh', '-c', script], volumeMounts: [{ name: 'v', mountPath: '/v' }] },
  );

const unmounted = (message: RegExp) =>
  ({ type: 'Warning', reason: 'FailedMount', message }) as const;
const unscheduled = (message: RegExp) =>
  both(phase('Pending'), condition('PodScheduled', 'False', { message }));
const storageClaim = {
  volumeClaimTemplate: {
    spec: {
      storageClassName: 'lives-ephemeral',
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage } },
    },
  },
};
const itsOwn = (name: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      storageClassName: 'lives-ephemeral',
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      ...onHost(name),
    },
  }) as KubeObject;

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a pod waits for its claim to be bound, and begins as soon as it is',
    on: REAL,
    objects: [claim('lives-waits')],
    pod: aPodWith('echo kept > /v/a; cat /v/a'),
    steps: [
      { until: unscheduled(/pod has unbound immediate PersistentVolumeClaims\.$/) },
      bound(onHost('waits')),
      { until: succeeded },
    ],
    logs: { main: ['kept'] },
  },
  {
    name: 'a claim may be taken read-only, whatever its mounts say',
    on: REAL,
    objects: [claim('lives-reads')],
    pod: aPodWith('(echo x > /v/a) 2>/dev/null || echo refused', { readOnly: true }),
    steps: [bound(onHost('reads')), { until: succeeded }],
    logs: { main: ['refused'] },
  },
  {
    name: 'a local volume is there on its own node alone',
    on: REAL,
    objects: [claim('lives-elsewhere')],
    pod: aPodWith('exit 0'),
    steps: [
      bound({ local: { path: HOST_FOLDER }, nodeAffinity: node('windows') }),
      { until: unscheduled(/1 node\(s\) didn't match PersistentVolume's node affinity\.$/) },
    ],
    never: [phase('Running')],
  },
  {
    name: 'a local volume is a folder of the host, which must be there',
    on: REAL,
    objects: [claim('lives-local')],
    pod: aPodWith('exit 0'),
    steps: [
      bound({ local: { path: `${HOST_FOLDER}/nowhere` }, nodeAffinity: node('linux') }),
      {
        event: unmounted(
          /^MountVolume\.SetUp failed for volume "lives-local" : path "\S+\/nowhere" does not exist$/,
        ),
      },
    ],
    never: [phase('Running')],
  },
  {
    name: 'a local volume belongs to the group of its pod',
    on: REAL,
    objects: [claim('lives-owned')],
    pod: aPodWith(
      '[ -g /v ] && echo shared; ls -ldn /v',
      {},
      {
        securityContext: { fsGroup: 4321, runAsUser: 1234 },
      },
    ),
    steps: [
      {
        check: () => mkdirSync(`${HOST_FOLDER}/owned`),
        why: 'makes its folder',
      },
      bound({ local: { path: `${HOST_FOLDER}/owned` }, nodeAffinity: node('linux') }),
      { until: succeeded },
    ],
    logs: { main: ['shared', / 4321 /] },
  },
  {
    name: 'a volume of a driver that is not there is told not to be supported, by name',
    on: ['embedded'],
    objects: [claim('lives-csi')],
    pod: aPodWith('exit 0'),
    steps: [
      bound({ csi: { driver: 'example.com', volumeHandle: 'h' } }),
      {
        event: unmounted(
          /^MountVolume\.SetUp failed for volume "lives-csi" : this node does not support persistent volumes of kind csi: driver name example\.com not found in the list of registered CSI drivers$/,
        ),
      },
    ],
    never: [phase('Running')],
  },
  {
    name: 'a volume for one pod at a time goes from one pod to the next, which waits for its node meanwhile',
    on: REAL,
    objects: [claim('lives-alone', 'ReadWriteOncePod')],
    pod: aPodWith('echo first >> /v/a; sleep 100'),
    steps: [
      bound(onHost('alone')),
      { until: ready },
      {
        apply: {
          apiVersion: 'v1',
          kind: 'Pod',
          ...aPodWith('echo second >> /v/a; cat /v/a; sleep 100'),
          metadata: { name: 'next' },
        } as KubeObject,
      },
      {
        pod: 'next',
        until: unscheduled(
          /node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode/,
        ),
      },
      { delete: true },
      { gone: true },
      { pod: 'next', until: ready },
      { pod: 'next', exec: ['cat', '/v/a'], stdout: /^first\nsecond/ },
    ],
  },
  {
    name: 'an ephemeral volume has a claim of its own, which is made, bound and mounted, and goes with the pod',
    on: REAL,
    pod: aPod(
      { restartPolicy: 'Never', volumes: [{ name: 'v', ephemeral: storageClaim }] },
      {
        command: ['/bin/sh', '-c', 'echo kept > /v/a; cat /v/a'],
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    ),
    steps: [
      { until: unscheduled(/pod has unbound immediate PersistentVolumeClaims\.$/) },
      { apply: itsOwn('lives-ephemeral') },
      { until: succeeded },
      { log: 'kept' },
      { delete: true },
      { gone: true },
      {
        check: ({ world }) =>
          until(async () => {
            const { status } = await world.client
              .resource(PersistentVolumes)
              .get({ name: 'lives-ephemeral' });
            return status?.phase === 'Released';
          }),
        why: 'its claim is gone, and its volume given back',
      },
    ],
  },
  {
    name: 'a volume that is a block device is a device of the container, by whatever link it is named',
    on: REAL,
    objects: [claim('lives-block', 'ReadWriteOnce', 'Block')],
    pod: aPod(
      {
        restartPolicy: 'Never',
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      },
      {
        command: ['/bin/sh', '-c', 'ls -l /dev/disk'],
        volumeDevices: [{ name: 'v', devicePath: '/dev/disk' }],
      },
    ),
    steps: [
      {
        check: async () => {
          mkdirSync(`${HOST_FOLDER}/devices`);
          await system.run('mknod', [`${HOST_FOLDER}/devices/disk`, 'b', '7', '0']);
          symlinkSync('disk', `${HOST_FOLDER}/devices/by-name`);
        },
        why: 'makes a block device, and names it by a link',
      },
      bound({
        volumeMode: 'Block',
        local: { path: `${HOST_FOLDER}/devices/by-name` },
        nodeAffinity: node('linux'),
      }),
      { until: succeeded },
    ],
    logs: { main: [/^b.* 7, +0 .*\/dev\/disk$/] },
  },
  {
    name: 'a volume that is said to be a block device and is a folder is told of',
    on: REAL,
    objects: [claim('lives-no-block', 'ReadWriteOnce', 'Block')],
    pod: aPod(
      { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] },
      { volumeDevices: [{ name: 'v', devicePath: '/dev/disk' }] },
    ),
    steps: [
      bound({ volumeMode: 'Block', local: { path: HOST_FOLDER }, nodeAffinity: node('linux') }),
      {
        event: unmounted(
          /^MountVolume\.SetUp failed for volume "lives-no-block" : hostPath type check failed: \S+ is not a block device$/,
        ),
      },
    ],
    never: [phase('Running')],
  },
];
