// Claims find volumes, against the real API server: matching, keeping for one another, phases, events, reclaiming, protection,
// and the claims of ephemeral volumes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import {
  Events,
  PersistentVolumeClaims,
  PersistentVolumes,
  Pods,
  StorageClasses,
} from '../../api/kinds.ts';
import { aControlledCluster, type ControlledCluster } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

let cluster: ControlledCluster;
let removed: string[];
/** Why folders cannot be removed. */
let refuses: string | undefined;

beforeEach(async () => {
  removed = [];
  refuses = undefined;
  cluster = await aControlledCluster({
    removeHostPath: async (path) => {
      if (refuses !== undefined) throw new Error(refuses);
      removed.push(path);
    },
  });
});
afterEach(() => cluster.close());

const namespace = 'default';
const claims = () => cluster.client.resource(PersistentVolumeClaims);
const volumes = () => cluster.client.resource(PersistentVolumes);
const pods = () => cluster.client.resource(Pods);
const absent = () => undefined;

const aClaim = (
  name: string,
  storage: string,
  spec: PersistentVolumeClaim['spec'] = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec },
});

const aVolume = (
  name: string,
  storage: string,
  { labels, ...spec }: PersistentVolume['spec'] & { labels?: Record<string, string> } = {},
): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, ...(labels && { labels }) },
  spec: {
    capacity: { storage },
    accessModes: ['ReadWriteOnce'],
    hostPath: { path: `/tmp/${name}` },
    ...spec,
  } as PersistentVolume['spec'],
});

const volume = (name: string) => volumes().get({ name }).catch(absent);
const claim = (name: string) => claims().get({ namespace, name }).catch(absent);
const phaseOf = async (name: string) => (await volume(name))?.status?.phase;
const isBound = async (name: string, to: string) => {
  const { spec, status } = (await claim(name)) ?? {};
  return status?.phase === 'Bound' && spec?.volumeName === to;
};
const told = async (reason: string, about: string) => {
  // Events about what has no namespace are in `default`.
  const { items } = await cluster.client.resource(Events).list({ namespace });
  return items
    .filter((each) => each.reason === reason && each.involvedObject?.name === about)
    .map(({ message }) => message);
};
const hears = (about: string, reason: string, message: string) =>
  until(async () => (await told(reason, about)).includes(message));

async function aClass(name: string, more: object = {}) {
  await cluster.client.resource(StorageClasses).create({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name },
    provisioner: 'kubernetes.io/no-provisioner',
    ...more,
  });
}

const aPod = (name: string, volume: object): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    nodeName: 'n1',
    containers: [{ name: 'c', image: 'i' }],
    volumes: [{ name: 'data', ...volume }],
  },
});

describe('a claim', () => {
  it('is given the smallest volume that will do, and both say so', async () => {
    for (const [name, size] of [
      ['large', '10Gi'],
      ['small', '1Gi'],
      ['right', '3Gi'],
    ] as const)
      await volumes().create(aVolume(name, size));
    await until(async () => (await phaseOf('small')) === 'Available');
    await until(async () => (await phaseOf('right')) === 'Available');
    await claims().create(aClaim('a', '2Gi'));
    await until(() => isBound('a', 'right'));
    const bound = await claim('a');
    expect(bound?.status).toMatchObject({
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '3Gi' },
    });
    expect(bound?.metadata.annotations).toMatchObject({
      'pv.kubernetes.io/bind-completed': 'yes',
      'pv.kubernetes.io/bound-by-controller': 'yes',
    });
    const { spec, metadata, status } = (await volume('right')) ?? {};
    expect(spec?.claimRef).toMatchObject({ namespace, name: 'a', uid: bound?.metadata.uid });
    expect(metadata?.annotations?.['pv.kubernetes.io/bound-by-controller']).toBe('yes');
    expect(status?.phase).toBe('Bound');
  });

  it('has what its volume held when it was bound, whatever is written on the volume later', async () => {
    await volumes().create(aVolume('v', '2Gi'));
    await claims().create(aClaim('a', '2Gi'));
    await until(() => isBound('a', 'v'));
    const body = { spec: { capacity: { storage: '3Gi' }, accessModes: ['ReadWriteMany'] } };
    await volumes().patch({ name: 'v' }, { type: 'merge', body });
    // The modes follow, so that look was taken.
    await until(async () => (await claim('a'))?.status?.accessModes?.[0] === 'ReadWriteMany');
    expect((await claim('a'))?.status?.capacity).toEqual({ storage: '2Gi' });
  });

  it('that waits is given the volume that comes, and says what it waits for until then', async () => {
    await claims().create(aClaim('a', '2Gi'));
    const none = 'no persistent volumes available for this claim and no storage class is set';
    await hears('a', 'FailedBinding', none);
    const { items } = await cluster.client.resource(Events).list({ namespace });
    const from = items.find(({ reason }) => reason === 'FailedBinding')?.source;
    expect(from).toEqual({ component: 'persistentvolume-controller' });
    await volumes().create(aVolume('v', '2Gi'));
    await until(() => isBound('a', 'v'));
  });

  it.each<[string, PersistentVolumeClaim['spec'], object]>([
    ['too small a volume', { resources: { requests: { storage: '3Gi' } } }, {}],
    ['a volume of another class', {}, { storageClassName: 'fast' }],
    ['a volume that is used otherwise', { accessModes: ['ReadWriteMany'] }, {}],
    ['a block device', {}, { volumeMode: 'Block' }],
    ['a volume without its labels', { selector: { matchLabels: { disk: 'ssd' } } }, {}],
    ['a volume that is kept', {}, { claimRef: { namespace, name: 'other' } }],
  ])('is not given %s', async (_, asks, has) => {
    await volumes().create(aVolume('v', '2Gi', has));
    await until(async () => (await phaseOf('v')) === 'Available');
    await claims().create(aClaim('a', '2Gi', asks));
    await until(async () => (await told('FailedBinding', 'a')).length > 0);
    expect((await claim('a'))?.status?.phase).toBe('Pending');
    await volumes().create(
      aVolume('fits', '4Gi', {
        accessModes: ['ReadWriteOnce', 'ReadWriteMany'],
        labels: { disk: 'ssd' },
      }),
    );
    await until(() => isBound('a', 'fits'));
  });

  it('that names its volume is given it, or told why not', async () => {
    await volumes().create(aVolume('v', '1Gi'));
    await claims().create(aClaim('a', '2Gi', { volumeName: 'v' }));
    const small = 'Cannot bind to requested volume "v": requested PV is too small';
    await hears('a', 'VolumeMismatch', small);
    await claims().create(aClaim('b', '1Gi', { volumeName: 'v' }));
    await until(() => isBound('b', 'v'));
    await claims().create(aClaim('c', '1Gi', { volumeName: 'v' }));
    await hears('c', 'FailedBinding', 'volume "v" already bound to a different claim.');
  });

  it('is given the volume that is kept for it, whatever smaller one there is', async () => {
    await volumes().create(aVolume('small', '1Gi'));
    await volumes().create(
      aVolume('kept', '9Gi', { claimRef: { namespace, name: 'a' }, storageClassName: 'any' }),
    );
    await until(async () => (await phaseOf('small')) === 'Available');
    await claims().create(aClaim('a', '1Gi'));
    await until(() => isBound('a', 'kept'));
  });

  it('is Lost for good once its volume is gone', async () => {
    await volumes().create(aVolume('v', '1Gi'));
    await claims().create(aClaim('a', '1Gi'));
    await until(() => isBound('a', 'v'));
    await volumes().delete({ name: 'v' });
    // It is kept while it is bound; somebody insists.
    expect((await volume('v'))?.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
    await volumes().patch({ name: 'v' }, { type: 'merge', body: { metadata: { finalizers: [] } } });
    const lost = 'Bound claim has lost its PersistentVolume. Data on the volume is lost!';
    await hears('a', 'ClaimLost', lost);
    expect((await claim('a'))?.status).toEqual({ phase: 'Lost' });
  });

  it('that says it was bound, and to nothing, is Lost, and keeps no free volume from others', async () => {
    const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };
    const made = aClaim('a', '1Gi');
    await claims().create({ ...made, metadata: { ...made.metadata, annotations } });
    await volumes().create(aVolume('v', '1Gi'));
    const message =
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!';
    await hears('a', 'ClaimLost', message);
    await until(async () => (await phaseOf('v')) === 'Available');
    await claims().create(aClaim('b', '1Gi'));
    await until(() => isBound('b', 'v'));
  });

  it('of no class gets the default one, also one that comes later', async () => {
    await claims().create(aClaim('a', '1Gi'));
    await until(async () => (await told('FailedBinding', 'a')).length > 0);
    await aClass('std', {
      metadata: {
        name: 'std',
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
    });
    await until(async () => (await claim('a'))?.spec?.storageClassName === 'std');
    const nobody = 'no volume plugin matched name: kubernetes.io/no-provisioner';
    await hears('a', 'ProvisioningFailed', nobody);
  });

  it('whose class is not there, or has a provisioner of its own, is told of', async () => {
    await claims().create(aClaim('a', '1Gi', { storageClassName: 'nowhere' }));
    const missing = 'storageclass.storage.k8s.io "nowhere" not found';
    await hears('a', 'ProvisioningFailed', missing);
    await aClass('ext', { provisioner: 'example.com/disks' });
    await claims().create(aClaim('b', '1Gi', { storageClassName: 'ext' }));
    const waiting =
      "Waiting for a volume to be created either by the external provisioner 'example.com/disks' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
    await hears('b', 'ExternalProvisioning', waiting);
    await until(
      async () =>
        (await claim('b'))?.metadata.annotations?.['volume.kubernetes.io/storage-provisioner'] ===
        'example.com/disks',
    );
    // As a provisioner does it.
    const uid = (await claim('b'))?.metadata.uid;
    await volumes().create(
      aVolume('made', '1Gi', { storageClassName: 'ext', claimRef: { namespace, name: 'b', uid } }),
    );
    await until(() => isBound('b', 'made'));
  });

  it('of a class that waits for a pod is not given what is free', async () => {
    await aClass('local', { volumeBindingMode: 'WaitForFirstConsumer' });
    await volumes().create(aVolume('v', '1Gi', { storageClassName: 'local' }));
    await until(async () => (await phaseOf('v')) === 'Available');
    await claims().create(aClaim('a', '1Gi', { storageClassName: 'local' }));
    const waits = 'waiting for first consumer to be created before binding';
    await hears('a', 'WaitForFirstConsumer', waits);
    expect((await claim('a'))?.status?.phase).toBe('Pending');
  });

  it('many at once are each given a volume of their own', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `n${index}`);
    await Promise.all(
      names.flatMap((name, index) => [
        volumes().create(aVolume(name, `${index + 1}Gi`)),
        claims().create(aClaim(name, `${names.length - index}Gi`)),
      ]),
    );
    await until(async () => {
      const { items } = await claims().list({ namespace });
      return items.every(({ status }) => status?.phase === 'Bound');
    });
    const { items } = await claims().list({ namespace });
    expect(new Set(items.map(({ spec }) => spec?.volumeName)).size).toBe(names.length);
  });
});

describe('a volume whose claim is gone', () => {
  const boundAndGone = async (spec: PersistentVolume['spec'] = {}) => {
    await volumes().create(aVolume('v', '1Gi', spec));
    await claims().create(aClaim('a', '1Gi'));
    await until(() => isBound('a', 'v'));
    await claims().delete({ namespace, name: 'a' });
  };

  it('is Released and stays, and a new claim of that name does not get it', async () => {
    await boundAndGone();
    await until(async () => (await phaseOf('v')) === 'Released');
    await claims().create(aClaim('a', '1Gi'));
    await until(async () => (await told('FailedBinding', 'a')).length > 0);
    expect(await phaseOf('v')).toBe('Released');
    // Who looks after it gives it back.
    const body = { spec: { claimRef: null } };
    await volumes().patch({ name: 'v' }, { type: 'merge', body });
    await until(() => isBound('a', 'v'));
  });

  it('goes with what is on it, where its policy is Delete', async () => {
    await boundAndGone({ persistentVolumeReclaimPolicy: 'Delete' });
    await until(async () => (await volume('v')) === undefined);
    expect(removed).toEqual(['/tmp/v']);
  });

  it.each([
    ['/srv/v', 'host_path deleter only supports /tmp/.+ but received provided /srv/v'],
    ['/tmp//', 'host_path deleter only supports /tmp/.+ but received provided /tmp//'],
    ['/tmp/v', 'it is in use'],
  ])('has Failed where %s cannot be removed', async (path, why) => {
    refuses = 'it is in use';
    await boundAndGone({ persistentVolumeReclaimPolicy: 'Delete', hostPath: { path } });
    await until(async () => (await phaseOf('v')) === 'Failed');
    expect((await volume('v'))?.status?.message).toBe(why);
    await hears('v', 'VolumeFailedDelete', why);
    expect(removed).toEqual([]);
  });

  it('has Failed where its policy is Recycle', async () => {
    await boundAndGone({ persistentVolumeReclaimPolicy: 'Recycle' });
    await hears('v', 'VolumeFailedRecycle', 'No recycler plugin found for the volume!');
    expect(await phaseOf('v')).toBe('Failed');
  });
});

describe('a claim that a pod uses', () => {
  it('is kept until the pod is gone', async () => {
    await claims().create(aClaim('a', '1Gi'));
    expect((await claim('a'))?.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    await pods().create(aPod('p', { persistentVolumeClaim: { claimName: 'a' } }));
    await claims().delete({ namespace, name: 'a' });
    await claims().create(aClaim('unused', '1Gi'));
    await claims().delete({ namespace, name: 'unused' });
    await until(async () => (await claim('unused')) === undefined);
    expect((await claim('a'))?.metadata.deletionTimestamp).toBeDefined();
    await pods().delete({ namespace, name: 'p' }, { gracePeriodSeconds: 0 });
    await until(async () => (await claim('a')) === undefined);
  });
});

describe('the claim of an ephemeral volume', () => {
  const ephemeral = {
    volumeClaimTemplate: {
      metadata: { labels: { app: 'p' } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
      },
    },
  };

  it('is made for its pod, made again when it goes, and goes with it', async () => {
    await volumes().create(aVolume('v', '1Gi'));
    const pod = await pods().create(aPod('p', { ephemeral }));
    await until(() => isBound('p-data', 'v'));
    const { metadata } = (await claim('p-data')) ?? {};
    expect(metadata?.labels).toEqual({ app: 'p' });
    expect(metadata?.ownerReferences).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        name: 'p',
        uid: pod.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    await claims().delete({ namespace, name: 'p-data' });
    await claims().patch(
      { namespace, name: 'p-data' },
      { type: 'merge', body: { metadata: { finalizers: [] } } },
    );
    await until(async () => {
      const again = await claim('p-data');
      return again !== undefined && again.metadata.uid !== metadata?.uid;
    });
    await pods().delete({ namespace, name: 'p' }, { gracePeriodSeconds: 0 });
    await until(async () => (await claim('p-data')) === undefined);
  });

  it('goes before its pod where the pod waits for that', async () => {
    await pods().create(aPod('p', { ephemeral }));
    await until(async () => (await claim('p-data')) !== undefined);
    await pods().delete({ namespace, name: 'p' }, { propagationPolicy: 'Foreground' });
    await until(async () => (await claim('p-data'))?.metadata.deletionTimestamp !== undefined);
    // What its agent does once its containers have ended.
    await pods().delete({ namespace, name: 'p' }, { gracePeriodSeconds: 0 });
    await until(async () => (await claim('p-data')) === undefined);
    await until(
      async () => (await pods().get({ namespace, name: 'p' }).catch(absent)) === undefined,
    );
  });

  it('is not taken from somebody else', async () => {
    await claims().create(aClaim('p-data', '1Gi'));
    await pods().create(aPod('p', { ephemeral }));
    await hears(
      'p',
      'FailedBinding',
      'ephemeral volume data: PVC default/p-data was not created for pod default/p (pod is not owner)',
    );
  });
});
