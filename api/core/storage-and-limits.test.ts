// Volumes, claims, limits, quotas, controllers and templates of the core group: defaults, rules, what may change, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  ReplicationController,
  ResourceQuota,
} from '../generated/types.ts';
import { componentStatus, componentStatusDefinition } from './component-status.ts';
import { limitRangeDefinition } from './limit-range.ts';
import { persistentVolumeClaimDefinition } from './persistent-volume-claim.ts';
import { persistentVolumeDefinition } from './persistent-volume.ts';
import { podTemplateDefinition } from './pod-template.ts';
import { replicationControllerDefinition } from './replication-controller.ts';
import { resourceQuotaDefinition } from './resource-quota.ts';

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

describe('LimitRanges', () => {
  const range = (...limits: object[]) => made(limitRangeDefinition, { spec: { limits } });

  it('give containers the next looser bound where one is not said', () => {
    const item = { type: 'Container', max: { cpu: '2' }, min: { memory: '1Ki' } };
    expect(range(item).spec?.limits).toEqual([
      { ...item, default: { cpu: '2' }, defaultRequest: { cpu: '2', memory: '1Ki' } },
    ]);
    const said = { type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' } };
    expect(range(said).spec?.limits).toEqual([said]);
    expect(range({ type: 'Pod', max: { cpu: '2' } }).spec?.limits).toEqual([
      { type: 'Pod', max: { cpu: '2' } },
    ]);
  });

  const at = 'spec.limits[0]';
  it.each<[string, object, string[]]>([
    ['nothing wrong', { type: 'Container', max: { cpu: '2' }, min: { cpu: '1' } }, []],
    ['an odd type', { type: 'Odd' }, [`${at}.type Invalid`]],
    ['a type of a domain', { type: 'a.io/b', max: { 'a.io/c': '1' } }, []],
    [
      'an odd resource',
      { type: 'Container', max: { gold: '1' } },
      [
        `${at}.max[gold] Invalid`,
        `${at}.max[gold] Invalid`,
        `${at}.default[gold] Invalid`,
        `${at}.default[gold] Invalid`,
        `${at}.defaultRequest[gold] Invalid`,
        `${at}.defaultRequest[gold] Invalid`,
      ],
    ],
    ['defaults for pods', { type: 'Pod', default: { cpu: '1' } }, [`${at}.default Forbidden`]],
    ['claims without bounds', { type: 'PersistentVolumeClaim' }, [`${at}.limits Required`]],
    ['claims', { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }, []],
    [
      'a least above the most',
      { type: 'Pod', max: { cpu: '1' }, min: { cpu: '2' } },
      [`${at}.min[cpu] Invalid`],
    ],
    [
      'a default above the most',
      { type: 'Container', max: { cpu: '1' }, default: { cpu: '2' }, defaultRequest: { cpu: '1' } },
      [`${at}.default[cpu] Invalid`],
    ],
    [
      'a request above the limit',
      { type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '2' } },
      [`${at}.defaultRequest[cpu] Invalid`],
    ],
    [
      'a ratio below one',
      { type: 'Pod', maxLimitRequestRatio: { cpu: '0.5' } },
      [`${at}.maxLimitRequestRatio[cpu] Invalid`],
    ],
    [
      'a ratio that the bounds forbid',
      { type: 'Pod', max: { cpu: '2' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '3' } },
      [`${at}.maxLimitRequestRatio[cpu] Invalid`],
    ],
    [
      'huge pages to be shared out twice',
      {
        type: 'Container',
        default: { 'hugepages-2Mi': '4Mi' },
        defaultRequest: { 'hugepages-2Mi': '2Mi' },
      },
      [`${at}.defaultRequest[hugepages-2Mi] Invalid`],
    ],
  ])('with %s', (_, item, errors) => {
    expect(broken(limitRangeDefinition, range(item))).toEqual(errors);
  });

  it('speak of a type once', () => {
    const item = { type: 'Pod', max: { cpu: '1' } };
    expect(broken(limitRangeDefinition, range(item, item))).toEqual([
      'spec.limits[1].type Duplicate',
    ]);
  });

  it('show when they were made', () => {
    const metadata = { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' };
    expect(cells(limitRangeDefinition, made(limitRangeDefinition, { metadata }))).toEqual({
      Name: 'x',
      'Created At': '2026-01-01T00:00:00Z',
    });
  });
});

describe('ResourceQuotas', () => {
  const quota = (spec: object): ResourceQuota => made(resourceQuotaDefinition, { spec });
  const selector = (requirement: object) => ({
    scopeSelector: { matchExpressions: [requirement] },
  });
  const at = 'spec.scopeSelector.matchExpressions';

  it.each<[string, object, string[]]>([
    [
      'amounts',
      { hard: { cpu: '1', 'limits.memory': '1Gi', pods: '3', 'requests.storage': '1Ti' } },
      [],
    ],
    ['counts of any kind', { hard: { 'count/jobs.batch': '2' } }, []],
    ['amounts of others', { hard: { 'requests.a.io/gpu': '2' } }, []],
    ['huge pages', { hard: { 'requests.hugepages-2Mi': '2Mi' } }, []],
    [
      'an odd resource',
      { hard: { gold: '1' } },
      ['spec.hard[gold] Invalid', 'spec.hard[gold] Invalid'],
    ],
    ['less than nothing', { hard: { cpu: '-1' } }, ['spec.hard[cpu] Invalid']],
    ['half a pod', { hard: { pods: '1500m' } }, ['spec.hard[pods] Invalid']],
    ['a scope', { scopes: ['BestEffort'], hard: { pods: '1' } }, []],
    ['an odd scope', { scopes: ['Odd'] }, ['spec.scopes Invalid']],
    [
      'a scope of other resources',
      { scopes: ['BestEffort'], hard: { cpu: '1' } },
      ['spec.scopes Invalid'],
    ],
    ['opposite scopes', { scopes: ['Terminating', 'NotTerminating'] }, ['spec.scopes Invalid']],
    ['a class', selector({ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }), []],
    [
      'a class of no name',
      selector({ scopeName: 'PriorityClass', operator: 'In' }),
      [`${at}.values Required`],
    ],
    [
      'a class of any name, and one',
      selector({ scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] }),
      [`${at}.values Invalid`],
    ],
    [
      'an odd operator',
      selector({ scopeName: 'PriorityClass', operator: 'Is' }),
      [`${at}.operator Invalid`],
    ],
    [
      'values of a scope without',
      selector({ scopeName: 'BestEffort', operator: 'In', values: ['a'] }),
      [`${at}.operator Invalid`],
    ],
    [
      'an odd scope in a selector',
      selector({ scopeName: 'Odd', operator: 'Exists' }),
      [`${at}.scopeName Invalid`],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(resourceQuotaDefinition, quota(spec))).toEqual(errors);
  });

  it('keep their scopes', () => {
    const [none, some] = [quota({}), quota({ scopes: ['BestEffort'] })];
    expect(broken(resourceQuotaDefinition, some, some)).toEqual([]);
    expect(broken(resourceQuotaDefinition, none, some)).toEqual(['spec.scopes Invalid']);
    expect(broken(resourceQuotaDefinition, some, none)).toEqual(['spec.scopes Invalid']);
  });

  it('show what is used of what may be', () => {
    const status = {
      hard: { pods: '4', cpu: '2', 'limits.cpu': '8' },
      used: { pods: '1', 'limits.cpu': '3' },
    };
    expect(cells(resourceQuotaDefinition, { ...quota({}), status })).toEqual({
      Name: 'x',
      Request: 'cpu: 0/2, pods: 1/4',
      Limit: 'limits.cpu: 3/8',
      Age: '<unknown>',
    });
  });
});

const template = (labels: object = { app: 'a' }, spec: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'a', image: 'a:1' }], ...spec },
});

describe('ReplicationControllers', () => {
  const controller = (spec: object = {}): ReplicationController =>
    made(replicationControllerDefinition, { spec: { template: template(), ...spec } });

  it('select the pods of their template unless they say otherwise', () => {
    const { spec, metadata } = controller();
    expect(spec).toMatchObject({ replicas: 1, selector: { app: 'a' } });
    expect(metadata.labels).toEqual({ app: 'a' });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['nothing to select', { template: template({}) }, ['spec.selector Required']],
    ['other pods', { selector: { app: 'b' } }, ['spec.template.metadata.labels Invalid']],
    ['no template', { template: undefined }, ['spec.selector Required', 'spec.template Required']],
    ['fewer than no pods', { replicas: -1 }, ['spec.replicas Invalid']],
    [
      'pods that end',
      { template: template({ app: 'a' }, { restartPolicy: 'Never' }) },
      ['spec.template.spec.restartPolicy NotSupported'],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(replicationControllerDefinition, controller(spec))).toEqual(errors);
  });

  it('show counts, and can be scaled', () => {
    const one = { ...controller({ replicas: 3 }), status: { replicas: 2, readyReplicas: 1 } };
    expect(cells(replicationControllerDefinition, one)).toEqual({
      Name: 'x',
      Desired: 3,
      Current: 2,
      Ready: 1,
      Age: '<unknown>',
      Containers: 'a',
      Images: 'a:1',
      Selector: 'app=a',
    });
    const { scale } = replicationControllerDefinition;
    expect(scale?.selector(one)).toBe('app=a');
    expect(scale?.withReplicas(one, 5).spec?.replicas).toBe(5);
  });
});

describe('PodTemplates', () => {
  it('keep the rules of pods, and show what they are', () => {
    const one = made(podTemplateDefinition, { template: template() });
    expect(broken(podTemplateDefinition, one)).toEqual([]);
    expect(cells(podTemplateDefinition, one)).toEqual({
      Name: 'x',
      Containers: 'a',
      Images: 'a:1',
      'Pod Labels': 'app=a',
    });
    expect(podTemplateDefinition.columns.every(({ priority }) => priority === undefined)).toBe(
      true,
    );
    const none = made(podTemplateDefinition, { template: template({}, { containers: [] }) });
    expect(broken(podTemplateDefinition, none)).toEqual(['template.spec.containers Required']);
  });
});

describe('ComponentStatuses', () => {
  it.each([
    [true, 'Healthy'],
    [false, 'Unhealthy'],
  ])('show whether a part is well: %s', (healthy, Status) => {
    expect(
      cells(componentStatusDefinition, componentStatus('x', { healthy, message: 'm' })),
    ).toEqual({
      Name: 'x',
      Status,
      Message: 'm',
      Error: '',
    });
  });
});
