// What claims let a pod have: pairs that are bound, to whom they belong, where they may be used; and what is said of all others.
import { beforeEach, describe, expect, it } from 'vitest';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from '../../api/generated/types.ts';
import { claimOf, ClaimProblem, Claims } from './claims.ts';

const V: Volume = { name: 'v', persistentVolumeClaim: { claimName: 'data' } };
const aPod = (
  uid: string,
  { volume = V, status = {} }: { volume?: Volume; status?: object } = {},
) =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name: `pod-${uid}`, uid },
    spec: { containers: [], volumes: [volume] },
    status,
  }) as Pod;
const begun = { phase: 'Running', containerStatuses: [{ name: 'c', containerID: 'x://1' }] };
const claim = (more: object = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: 'shop', name: 'data', uid: 'claim-1' },
  spec: { volumeName: 'disk' },
  status: { phase: 'Bound' },
  ...more,
});
const disk = (spec: object = {}): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'disk' },
  spec: { hostPath: { path: '/srv' }, claimRef: { uid: 'claim-1' }, ...spec },
});
const required = (value: string) => ({
  required: {
    nodeSelectorTerms: [{ matchExpressions: [{ key: 'rack', operator: 'In', values: [value] }] }],
  },
});
const ALONE = { accessModes: ['ReadWriteOncePod'] };
const taken =
  'MountVolume.SetUp failed for volume "disk" : volume uses the ReadWriteOncePod access mode and is already in use by another pod';

let found: { claim: PersistentVolumeClaim | undefined; volume: PersistentVolume | undefined };
let pods: Pod[];
let woken: string[];
let claims: Claims;

beforeEach(() => {
  found = { claim: claim(), volume: disk() };
  pods = [];
  woken = [];
  claims = new Claims({
    sources: {
      claim: async ({ namespace, name }) =>
        `${namespace}/${name}` === `shop/${found.claim?.metadata.name}` ? found.claim : undefined,
      volume: async (name) => (name === found.volume?.metadata.name ? found.volume : undefined),
      changed: (uid) => void woken.push(uid),
    },
    node: () => ({ name: 'n1', labels: { rack: 'a' } }),
    pods: () => pods,
  });
});

function take(pod: Pod): Promise<PersistentVolume> {
  const [volume = V] = pod.spec?.volumes ?? [];
  return claims.volumeOf(pod, volume, claimOf(pod, volume) ?? { name: '', ephemeral: false });
}

/** Why the pod is not given its volume. */
async function problemOf(pod: Pod): Promise<string> {
  const error = await take(pod).then(
    () => new Error('it was given'),
    (caught: Error) => caught,
  );
  expect(error).toBeInstanceOf(ClaimProblem);
  return error.message;
}

describe('a claim', () => {
  it('that is bound both ways gives its volume', async () => {
    expect(await take(aPod('1'))).toBe(found.volume);
  });

  const processing =
    'Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: ';
  const ofClaim = `${processing}error processing PVC shop/data: `;
  it.each<[string, { claim?: object | undefined; volume?: object | undefined }, string]>([
    [
      'that is not there',
      { claim: undefined },
      'failed to fetch PVC from API server: persistentvolumeclaims "data" not found',
    ],
    [
      'that is going',
      { claim: claim({ metadata: { name: 'data', deletionTimestamp: '2026-01-01T00:00:00Z' } }) },
      'PVC is being deleted',
    ],
    ['that is pending', { claim: claim({ status: { phase: 'Pending' } }) }, 'PVC is not bound'],
    [
      'that has lost its volume',
      { claim: claim({ status: { phase: 'Lost' } }) },
      'PVC is not bound',
    ],
    ['without a status', { claim: claim({ status: undefined }) }, 'PVC is not bound'],
    ['that names no volume', { claim: claim({ spec: {} }) }, 'PVC has empty pvc.Spec.VolumeName'],
    [
      'of a volume that is not there',
      { volume: undefined },
      'failed to fetch PV disk from API server: persistentvolumes "disk" not found',
    ],
    [
      'of a volume that knows of no claim',
      { volume: disk({ claimRef: undefined }) },
      'found PV object disk but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim',
    ],
    [
      'of a volume that is another claim’s',
      { volume: disk({ claimRef: { uid: 'claim-0' } }) },
      'found PV object disk but its pv.Spec.ClaimRef.UID claim-0 does not point to claim.UID claim-1',
    ],
  ])('%s is told of', async (_, change, why) => {
    found = { ...found, ...change } as typeof found;
    expect(await problemOf(aPod('1'))).toBe(`${ofClaim}${why}`);
  });

  const uses = (field: 'volumeMounts' | 'volumeDevices') => {
    const pod = aPod('1');
    const [use] = [{ name: 'v', mountPath: '/v', devicePath: '/dev/v' }];
    const container = { name: 'c', image: 'i', [field]: [use] };
    return { ...pod, spec: { ...pod.spec, containers: [container] } } as Pod;
  };

  it('of a block device is told of where a file system is wanted, and the other way round', async () => {
    expect(await problemOf(uses('volumeDevices'))).toBe(
      `${processing}volume v has volumeMode Filesystem, but is specified in volumeDevices`,
    );
    found.volume = disk({ volumeMode: 'Block' });
    expect(await problemOf(uses('volumeMounts'))).toBe(
      `${processing}volume v has volumeMode Block, but is specified in volumeMounts`,
    );
    expect(await take(uses('volumeDevices'))).toBe(found.volume);
  });

  it('gives its volume only on nodes where that is', async () => {
    found.volume = disk({ nodeAffinity: required('b') });
    expect(await problemOf(aPod('1'))).toBe(
      'MountVolume.NodeAffinity check failed for volume "disk" : no matching NodeSelectorTerms',
    );
    found.volume = disk({ nodeAffinity: required('a') });
    expect(await take(aPod('1'))).toBe(found.volume);
  });
});

describe('a claim that is made for a pod alone', () => {
  const own = aPod('1', { volume: { name: 'data', ephemeral: {} } });
  const named = (uid: string) =>
    claim({
      metadata: {
        namespace: 'shop',
        name: 'pod-1-data',
        uid: 'claim-1',
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'pod-1', uid, controller: true }],
      },
    });

  it('is that of the pod’s and the volume’s name, and belongs to the pod', async () => {
    found.claim = named('1');
    expect(await take(own)).toBe(found.volume);
  });

  it('is not taken where it belongs to somebody else', async () => {
    found.claim = named('2');
    expect(await problemOf(own)).toMatch(
      /: PVC shop\/pod-1-data was not created for pod shop\/pod-1 \(pod is not owner\)$/,
    );
  });
});

describe('a volume of ReadWriteOncePod', () => {
  beforeEach(() => {
    found.volume = disk(ALONE);
  });

  it('is given to one pod at a time; the next is told when it is free', async () => {
    await take(aPod('1'));
    await take(aPod('1'));
    expect(await problemOf(aPod('2'))).toBe(taken);
    // Its last status may still be the one of when it ran.
    pods = [aPod('1', { status: begun })];
    claims.release('1');
    expect(woken).toEqual(['2']);
    await take(aPod('2'));
    expect(await problemOf(aPod('1'))).toBe(taken);
  });

  it('stays with whom an agent before this one gave it to', async () => {
    pods = [aPod('1', { status: begun }), aPod('2')];
    expect(await problemOf(aPod('2'))).toBe(taken);
    await take(aPod('1'));
  });

  it.each([
    ['is over', aPod('1', { status: { ...begun, phase: 'Failed' } })],
    ['has not begun', aPod('1', { status: { phase: 'Pending' } })],
    ['names another claim', aPod('1', { status: begun, volume: { name: 'v', emptyDir: {} } })],
  ])('is free where the other pod %s', async (_, other) => {
    pods = [other];
    expect(await take(aPod('2'))).toBe(found.volume);
  });

  it('is for several where it may be used otherwise, too', async () => {
    found.volume = disk({ accessModes: ['ReadWriteOncePod', 'ReadWriteMany'] });
    await take(aPod('1'));
    expect(await take(aPod('2'))).toBe(found.volume);
  });
});
