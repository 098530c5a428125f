// PersistentVolumes and their claims: defaults, rules, what may change, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../generated/types.ts';
import { persistentVolumeClaimDefinition } from './persistent-volume-claim.ts';
import { persistentVolumeDefinition } from './persistent-volume.ts';

const hostPath = { path: '/data' };
const volume = (spec: object = {}, metadata: object = {}): PersistentVolume =>
  made(persistentVolumeDefinition, {
    metadata: { name: 'pv', ...metadata },
    spec: { capacity: { storage: '1024Mi' }, accessModes: ['ReadWriteOnce'], hostPath, ...spec },
  });
const instead = (source: object) => ({ hostPath: undefined, ...source });
const csi = { driver: 'csi.example.com', volumeHandle: 'v1' };

describe('PersistentVolumes', () => {
  it('are filled in as documented', () => {
    expect(volume().spec).toMatchObject({
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Retain',
      volumeMode: 'Filesystem',
      hostPath: { path: '/data', type: '' },
    });
    const rbd = { monitors: ['m'], image: 'i', user: 'me' };
    expect(volume(instead({ rbd })).spec?.rbd).toEqual({
      ...rbd,
      pool: 'rbd',
      keyring: '/etc/ceph/keyring',
    });
  });

  it('wait at first', () => {
    const one = volume({}, { creationTimestamp: '2026-01-01T00:00:00Z' });
    persistentVolumeDefinition.prepareForCreate?.(one);
    expect(one.status).toEqual({
      phase: 'Pending',
      lastPhaseTransitionTime: '2026-01-01T00:00:00Z',
    });
  });

  const terms = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] };
  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['no modes', { accessModes: [] }, ['spec.accessModes Required']],
    ['an odd mode', { accessModes: ['Odd'] }, ['spec.accessModes NotSupported']],
    [
      'a mode that stands alone',
      { accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'] },
      ['spec.accessModes Forbidden'],
    ],
    ['no capacity', { capacity: {} }, ['spec.capacity Required', 'spec.capacity NotSupported']],
    ['another capacity', { capacity: { cpu: '1' } }, ['spec.capacity NotSupported']],
    ['nothing within', { capacity: { storage: '0' } }, ['spec.capacity[storage] Invalid']],
    [
      'an odd policy',
      { persistentVolumeReclaimPolicy: 'Odd' },
      ['spec.persistentVolumeReclaimPolicy NotSupported'],
    ],
    [
      'the whole host to be emptied',
      { hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' },
      ['spec.persistentVolumeReclaimPolicy Forbidden'],
    ],
    ['no source', instead({}), ['spec Required']],
    ['two sources', { csi }, ['spec.csi Forbidden']],
    ['a path that leads up', { hostPath: { path: '/a/../b' } }, ['spec.hostPath.path Invalid']],
    ['NFS', instead({ nfs: { server: 's', path: '/' } }), []],
    [
      'NFS from nowhere',
      instead({ nfs: { path: 'a' } }),
      ['spec.nfs.server Required', 'spec.nfs.path Invalid'],
    ],
    ['CSI', instead({ csi }), []],
    ['CSI without a driver', instead({ csi: { volumeHandle: 'v' } }), ['spec.csi.driver Required']],
    ['CSI without a volume', instead({ csi: { driver: 'd' } }), ['spec.csi.volumeHandle Required']],
    ['a disk of no node', instead({ local: { path: '/d' } }), ['spec.nodeAffinity Required']],
    ['a disk of a node', instead({ local: { path: '/d' }, nodeAffinity: { required: terms } }), []],
    ['nodes of no kind', { nodeAffinity: {} }, ['spec.nodeAffinity.required Required']],
    [
      'a cloud disk without a name',
      instead({ gcePersistentDisk: {} }),
      ['spec.persistentDisk.pdName Required'],
    ],
    ['a bad class', { storageClassName: 'A' }, ['spec.storageClassName Invalid']],
    ['an odd volume mode', { volumeMode: 'Odd' }, ['spec.volumeMode NotSupported']],
    ['attributes without CSI', { volumeAttributesClassName: 'a' }, ['spec.csi Required']],
  ])('with %s', (_, spec, errors) => {
    expect(broken(persistentVolumeDefinition, volume(spec))).toEqual(errors);
  });

  it.each<[string, object, object, string[]]>([
    ['claim', {}, { claimRef: { namespace: 'a', name: 'b' } }, []],
    ['size', {}, { capacity: { storage: '2Gi' } }, []],
    ['source', {}, { hostPath: { path: '/other' } }, ['spec.persistentvolumesource Forbidden']],
    ['mode', {}, { volumeMode: 'Block' }, ['volumeMode Invalid']],
    [
      'secret for growing, once',
      instead({ csi }),
      instead({ csi: { ...csi, controllerExpandSecretRef: { name: 's', namespace: 'n' } } }),
      [],
    ],
    ['nodes, once', {}, { nodeAffinity: { required: terms } }, []],
    ['nodes again', { nodeAffinity: { required: terms } }, {}, ['nodeAffinity Invalid']],
  ])('change their %s', (...[, before, after, errors]) => {
    expect(broken(persistentVolumeDefinition, volume(after), volume(before))).toEqual(errors);
  });

  it('show whose they are', () => {
    const claimRef = { namespace: 'shop', name: 'data' };
    const spec = {
      claimRef,
      storageClassName: 'fast',
      accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
    };
    const one = { ...volume(spec), status: { phase: 'Bound', reason: 'why' } };
    expect(cells(persistentVolumeDefinition, one)).toEqual({
      Name: 'pv',
      Capacity: '1Gi',
      'Access Modes': 'RWO,RWX',
      'Reclaim Policy': 'Retain',
      Status: 'Bound',
      Claim: 'shop/data',
      StorageClass: 'fast',
      VolumeAttributesClass: '<unset>',
      Reason: 'why',
      Age: '<unknown>',
      VolumeMode: 'Filesystem',
    });
  });
});

const claim = (spec: object = {}, status: object = {}): PersistentVolumeClaim => ({
  ...made(persistentVolumeClaimDefinition, {
    metadata: { name: 'data' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'fast',
      ...spec,
    },
  }),
  status,
});
const sized = (storage: string) => ({ resources: { requests: { storage } } });

describe('PersistentVolumeClaims', () => {
  it('wait at first, and name their source both ways', () => {
    const kind = { kind: 'PersistentVolumeClaim', name: 'old' };
    const older = claim({ dataSource: kind });
    persistentVolumeClaimDefinition.prepareForCreate?.(older);
    expect(older.status).toEqual({ phase: 'Pending' });
    expect(older.spec?.dataSourceRef).toEqual(kind);
    const newer = claim({ dataSourceRef: kind });
    persistentVolumeClaimDefinition.prepareForCreate?.(newer);
    expect(newer.spec?.dataSource).toEqual(kind);
    const elsewhere = claim({ dataSourceRef: { ...kind, namespace: 'b' } });
    persistentVolumeClaimDefinition.prepareForCreate?.(elsewhere);
    expect(elsewhere.spec?.dataSource).toBeUndefined();
  });

  const source = { kind: 'PersistentVolumeClaim', name: 'old' };
  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['no class at all', { storageClassName: '' }, []],
    ['no modes', { accessModes: [] }, ['spec.accessModes Required']],
    ['no size', { resources: {} }, ['spec.resources[storage] Required']],
    ['a size of nothing', sized('0'), ['spec.resources[storage] Invalid']],
    ['a bad class', { storageClassName: 'A' }, ['spec.storageClassName Invalid']],
    ['an odd mode', { volumeMode: 'Odd' }, ['spec.volumeMode NotSupported']],
    [
      'a source of nothing',
      { dataSource: {} },
      ['spec.dataSource.name Required', 'spec.dataSource.kind Required', 'spec.dataSource Invalid'],
    ],
    [
      'a source of another kind',
      { dataSource: { kind: 'Pod', name: 'a' } },
      ['spec.dataSource Invalid'],
    ],
    [
      'sources that differ',
      { dataSource: source, dataSourceRef: { ...source, name: 'b' } },
      ['spec Invalid'],
    ],
    [
      'a source elsewhere, both ways',
      { dataSource: source, dataSourceRef: { ...source, namespace: 'b' } },
      ['spec Invalid'],
    ],
    [
      'an odd selector',
      { selector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } },
      ['spec.selector.matchExpressions[0].operator Invalid'],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(persistentVolumeClaimDefinition, claim(spec))).toEqual(errors);
  });

  const bound = { phase: 'Bound', capacity: { storage: '1Gi' } };
  it.each<[string, PersistentVolumeClaim, PersistentVolumeClaim, string[]]>([
    ['their volume, once', claim(), claim({ volumeName: 'pv' }), []],
    [
      'their volume again',
      claim({ volumeName: 'a' }),
      claim({ volumeName: 'b' }),
      ['spec Forbidden'],
    ],
    ['their size once bound', claim({}, bound), claim(sized('2Gi'), bound), []],
    ['their size before that', claim(), claim(sized('2Gi')), ['spec Forbidden']],
    [
      'their size to less than there is',
      claim(sized('2Gi'), { ...bound, capacity: { storage: '2Gi' } }),
      claim({}, { ...bound, capacity: { storage: '2Gi' } }),
      ['spec.resources.requests.storage Forbidden'],
    ],
    [
      'their size back, when there never was more',
      claim(sized('3Gi'), bound),
      claim(sized('2Gi'), bound),
      [],
    ],
    ['their class where none was said', claim({ storageClassName: undefined }), claim(), []],
    ['their class', claim(), claim({ storageClassName: 'slow' }), ['spec Forbidden']],
    ['their attributes', claim(), claim({ volumeAttributesClassName: 'gold' }), []],
    [
      'their attributes to none',
      claim({ volumeAttributesClassName: 'gold' }),
      claim(),
      ['spec.volumeAttributesClassName Forbidden'],
    ],
    [
      'their mode',
      claim(),
      claim({ volumeMode: 'Block' }),
      ['spec Forbidden', 'volumeMode Invalid'],
    ],
  ])('change %s', (...[, before, after, errors]) => {
    expect(broken(persistentVolumeClaimDefinition, after, before)).toEqual(errors);
  });

  it('refuse a status that is none', () => {
    const status = {
      capacity: { storage: '-1' },
      allocatedResourceStatuses: { storage: 'Odd' },
    };
    const errors = persistentVolumeClaimDefinition.validateStatus?.(claim({}, status), claim());
    expect(errors?.map(({ field, type }) => `${field} ${type}`)).toEqual([
      'status.capacity[storage] FieldValueInvalid',
      'status.allocatedResourceStatus FieldValueNotSupported',
    ]);
  });

  it('show what they have once they have a volume', () => {
    const status = { phase: 'Bound', capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce'] };
    expect(cells(persistentVolumeClaimDefinition, claim({ volumeName: 'pv' }, status))).toEqual({
      Name: 'data',
      Status: 'Bound',
      Volume: 'pv',
      Capacity: '2Gi',
      'Access Modes': 'RWO',
      StorageClass: 'fast',
      VolumeAttributesClass: '<unset>',
      Age: '<unknown>',
      VolumeMode: 'Filesystem',
    });
    expect(cells(persistentVolumeClaimDefinition, claim({}, status))).toMatchObject({
      Capacity: '',
      'Access Modes': '',
    });
  });
});
