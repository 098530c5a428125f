// Volumes that stand for claims, each bound by hand to a persistent volume: what programs see of them, and what is told while they cannot.
import { mkdirSync } from 'node:fs';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../api/generated/types.ts';
import { PersistentVolumeClaims, PersistentVolumes } from '../../../api/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Witness } from '../running/witness.ts';
import {
  aPod,
  both,
  container,
  HOST_FOLDER,
  phase,
  ready,
  REAL,
  type Scenario,
  succeeded,
  waiting,
} from '../scenario.ts';

const storage = '1Mi';

/** A claim of the name `data` for the volume of that name. */
function claim(volumeName: string, accessMode = 'ReadWriteOnce'): KubeObject {
  const spec = {
    storageClassName: '',
    accessModes: [accessMode],
    resources: { requests: { storage } },
    volumeName,
  };
  const metadata = { name: 'data' };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec } as KubeObject;
}

/** Does what a binder does: makes the volume for the claim, and says that both belong together. */
async function bind({ world, namespace }: Witness, spec: PersistentVolume['spec']): Promise<void> {
  const claims = world.client.resource(PersistentVolumeClaims);
  const { metadata, spec: asked = {} } = await claims.get({ namespace, name: 'data' });
  const { uid, name } = metadata;
  const { accessModes, volumeName } = asked;
  await world.client.resource(PersistentVolumes).create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName ?? '' },
    spec: {
      capacity: { storage },
      accessModes,
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      ...spec,
    },
  });
  const status: PersistentVolumeClaim['status'] = { phase: 'Bound', accessModes };
  await claims.patch(
    { namespace, name: 'data' },
    { type: 'merge', body: { status } },
    { subresource: 'status' },
  );
}

const bound = (spec: PersistentVolume['spec']) => ({
  check: (witness: Witness) => bind(witness, spec),
  why: 'binds the claim',
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
const waits = both(phase('Pending'), container('main', waiting('ContainerCreating')));

/** The scenarios. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a pod waits for its claim to be bound, and begins as soon as it is',
    on: REAL,
    objects: [claim('lives-waits')],
    pod: aPodWith('echo kept > /v/a; cat /v/a'),
    steps: [
      {
        event: unmounted(
          /^Unable to attach or mount volumes: unmounted volumes=\[v\], unattached volumes=\[\], failed to process volumes=\[v\]: error processing PVC claims-1\/data: PVC is not bound$/,
        ),
      },
      { until: waits },
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
      {
        event: unmounted(
          /^MountVolume\.NodeAffinity check failed for volume "lives-elsewhere" : no matching NodeSelectorTerms$/,
        ),
      },
      { until: waits },
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
          /^MountVolume\.SetUp failed for volume "lives-csi" : this node does not support persistent volumes of kind csi$/,
        ),
      },
    ],
    never: [phase('Running')],
  },
  {
    name: 'a volume for one pod at a time goes from one pod to the next, and is not scheduled away meanwhile',
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
        event: unmounted(
          /^MountVolume\.SetUp failed for volume "lives-alone" : volume uses the ReadWriteOncePod access mode and is already in use by another pod$/,
        ),
      },
      { delete: true },
      { gone: true },
      { pod: 'next', until: ready },
      { pod: 'next', exec: ['cat', '/v/a'], stdout: /^first\nsecond/ },
    ],
  },
];
