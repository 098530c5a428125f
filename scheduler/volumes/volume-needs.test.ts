// What claims ask of a node, and for what pods wait.
import { describe, expect, it } from 'vitest';
import type { PersistentVolumeClaim, Pod, StorageClass } from '../../api/generated/types.ts';
import { volumeNeedsOf } from './volume-needs.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'shop', uid: '1' },
  spec: {
    containers: [],
    volumes: [
      { name: 'v', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'w', ephemeral: {} },
      { name: 'x', emptyDir: {} },
    ],
  },
};
const claim = (metadata: object = {}, spec: object = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { ...metadata },
  spec,
});
const DONE = { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } };
const bound = (metadata: object = {}) => claim({ ...DONE, ...metadata }, { volumeName: 'disk' });
const ownedBy = (uid: string) => ({
  ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true }],
});
const own = bound(ownedBy('1'));
const waiting: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'local' },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
};
const disk = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'disk' } } as const;

const needs = (claims: Record<string, PersistentVolumeClaim>) =>
  volumeNeedsOf(pod, {
    claim: (namespace, name) => (namespace === 'shop' ? claims[name] : undefined),
    volume: (name) => (name === 'disk' ? disk : undefined),
    storageClass: (name) => (name === 'local' ? waiting : undefined),
  });

describe('a pod waits for claims', () => {
  const unbound = 'pod has unbound immediate PersistentVolumeClaims';
  it.each<[string, Record<string, PersistentVolumeClaim>, string]>([
    ['that are missing', {}, 'persistentvolumeclaim "data" not found'],
    [
      'that are going',
      { data: bound({ deletionTimestamp: '2026-01-01T00:00:00Z' }) },
      'persistentvolumeclaim "data" is being deleted',
    ],
    [
      'that are still to be made',
      { data: bound() },
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-w"',
    ],
    [
      'that belong to others',
      { data: bound(), 'p-w': bound(ownedBy('2')) },
      'PVC shop/p-w was not created for pod shop/p (pod is not owner)',
    ],
    ['that have no volume', { data: claim(), 'p-w': own }, unbound],
    [
      'whose binding is not complete',
      { data: claim({}, { volumeName: 'disk' }), 'p-w': own },
      unbound,
    ],
    [
      'that name their volume, whatever their class',
      { data: claim({}, { volumeName: 'disk', storageClassName: 'local' }), 'p-w': own },
      unbound,
    ],
  ])('%s', (_, claims, why) => {
    expect(needs(claims)).toBe(why);
  });
});

describe('a node is asked', () => {
  it('for the volumes of claims, and for some for those that wait for it', () => {
    const delayed = claim({}, { storageClassName: 'local' });
    expect(needs({ data: delayed, 'p-w': own })).toEqual({
      bound: [disk],
      delayed: [delayed],
      exclusive: [],
    });
  });
});
