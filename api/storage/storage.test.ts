// Kinds of storage.k8s.io and node.k8s.io: defaults, rules with their fields and types, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import { runtimeClassDefinition } from '../node/runtime-class.ts';
import { csiDriverDefinition } from './csi-driver.ts';
import { csiNodeDefinition } from './csi-node.ts';
import { csiStorageCapacityDefinition } from './csi-storage-capacity.ts';
import { storageClassDefinition } from './storage-class.ts';
import { volumeAttachmentDefinition } from './volume-attachment.ts';
import { volumeAttributesClassDefinition } from './volume-attributes-class.ts';

const long = 'x'.repeat(64);

describe('StorageClasses', () => {
  const aClass = (more: object = {}) =>
    made(storageClassDefinition, { provisioner: 'example.com/disk', ...more });

  it('delete what is given back, and bind at once, unless they say otherwise', () => {
    expect(aClass()).toMatchObject({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' });
    expect(broken(storageClassDefinition, aClass())).toEqual([]);
  });

  const topology = (...requirements: object[]) => ({
    allowedTopologies: [{ matchLabelExpressions: requirements }],
  });
  it.each<[string, object, string[]]>([
    ['no provisioner', { provisioner: '' }, ['provisioner Required']],
    ['a provisioner of no name', { provisioner: 'a/b/c' }, ['provisioner Invalid']],
    ['a parameter of no name', { parameters: { '': 'x' } }, ['parameters Invalid']],
    [
      'too many parameters',
      { parameters: Object.fromEntries(Array.from({ length: 513 }, (_, i) => [`k${i}`, ''])) },
      ['parameters TooLong'],
    ],
    [
      'parameters that are too long',
      { parameters: { a: 'x'.repeat(256 * 1024) } },
      ['parameters TooLong'],
    ],
    ['an odd policy', { reclaimPolicy: 'Recycle' }, ['reclaimPolicy NotSupported']],
    ['an odd mode', { volumeBindingMode: 'Later' }, ['volumeBindingMode NotSupported']],
    [
      'a topology of no values',
      topology({ key: 'zone' }),
      ['allowedTopologies[0].matchLabelExpressions[0].values Required'],
    ],
    [
      'a topology that says things twice',
      topology({ key: 'zone', values: ['a', 'a'] }, { key: 'zone', values: ['b'] }),
      [
        'allowedTopologies[0].matchLabelExpressions[0].values[1] Duplicate',
        'allowedTopologies[0].matchLabelExpressions[1].key Duplicate',
      ],
    ],
  ])('refuse %s', (...[, more, fields]) => {
    expect(broken(storageClassDefinition, aClass(more))).toEqual(fields);
  });

  it('stay as they are, but for growth', () => {
    const next = aClass({
      provisioner: 'example.com/tape',
      parameters: { a: 'b' },
      reclaimPolicy: 'Retain',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    expect(broken(storageClassDefinition, next, aClass())).toEqual([
      'parameters Forbidden',
      'provisioner Forbidden',
      'reclaimPolicy Forbidden',
      'volumeBindingMode Invalid',
    ]);
    const grown = aClass({ allowVolumeExpansion: true, parameters: {} });
    expect(broken(storageClassDefinition, grown, aClass())).toEqual([]);
  });

  it('show which one is the default', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    const one = aClass({ metadata: { name: 'fast', annotations } });
    expect(cells(storageClassDefinition, one)).toMatchObject({
      Name: 'fast (default)',
      Provisioner: 'example.com/disk',
      ReclaimPolicy: 'Delete',
      VolumeBindingMode: 'Immediate',
      AllowVolumeExpansion: false,
    });
    expect(cells(storageClassDefinition, aClass())['Name']).toBe('x');
  });
});

describe('VolumeAttributesClasses', () => {
  const aClass = (more: object = {}) =>
    made(volumeAttributesClassDefinition, { driverName: 'd.io', parameters: { a: 'b' }, ...more });

  it('name a driver and say something, for good', () => {
    expect(broken(volumeAttributesClassDefinition, aClass())).toEqual([]);
    const empty = aClass({ driverName: '', parameters: {} });
    expect(broken(volumeAttributesClassDefinition, empty)).toEqual([
      'driverName Required',
      'parameters Required',
    ]);
    const next = aClass({ driverName: 'e.io', parameters: { a: 'c' } });
    expect(broken(volumeAttributesClassDefinition, next, aClass())).toEqual([
      'driverName Forbidden',
      'parameters Forbidden',
    ]);
  });

  it('show their driver', () => {
    expect(cells(volumeAttributesClassDefinition, aClass())).toMatchObject({
      Name: 'x',
      DriverName: 'd.io',
    });
  });
});

describe('CSIDrivers', () => {
  const driver = (spec: object = {}) => made(csiDriverDefinition, { spec });

  it('have what upstream fills in', () => {
    expect(driver().spec).toEqual({
      attachRequired: true,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      podInfoOnMount: false,
      requiresRepublish: false,
      seLinuxMount: false,
      storageCapacity: false,
      volumeLifecycleModes: ['Persistent'],
    });
    expect(broken(csiDriverDefinition, driver())).toEqual([]);
  });

  it('are named in letters of either case, at most 63', () => {
    expect(csiDriverDefinition.validateName?.('CSI.Example.com')).toBeUndefined();
    expect(csiDriverDefinition.validateName?.(long)).toMatch(/no more than 63/);
    expect(csiDriverDefinition.validateName?.('a_b')).toMatch(/RFC 1123/);
  });

  it.each<[string, object, string[]]>([
    ['an odd policy', { fsGroupPolicy: 'Some' }, ['spec.fsGroupPolicy NotSupported']],
    [
      'an odd mode',
      { volumeLifecycleModes: ['Eternal'] },
      ['spec.volumeLifecycleModes NotSupported'],
    ],
    [
      'an audience twice, and a token too short',
      { tokenRequests: [{ audience: 'a' }, { audience: 'a', expirationSeconds: 599 }] },
      [
        'spec.tokenRequests[1].audience Duplicate',
        'spec.tokenRequests[1].expirationSeconds Invalid',
      ],
    ],
    [
      'a token too long',
      { tokenRequests: [{ audience: 'a', expirationSeconds: 2 ** 32 + 1 }] },
      ['spec.tokenRequests[0].expirationSeconds Invalid'],
    ],
    [
      'an update too often',
      { nodeAllocatableUpdatePeriodSeconds: 9 },
      ['spec.nodeAllocatableUpdatePeriodSeconds Invalid'],
    ],
  ])('refuse %s', (...[, spec, fields]) => {
    expect(broken(csiDriverDefinition, driver(spec))).toEqual(fields);
  });

  it('keep how volumes are handled', () => {
    const next = driver({
      attachRequired: false,
      fsGroupPolicy: 'None',
      volumeLifecycleModes: ['Ephemeral'],
      podInfoOnMount: true,
    });
    expect(broken(csiDriverDefinition, next, driver())).toEqual([
      'spec.attachedRequired Invalid',
      'spec.fsGroupPolicy Invalid',
      'spec.volumeLifecycleModes Invalid',
    ]);
  });

  it('show what they need', () => {
    expect(cells(csiDriverDefinition, driver())).toMatchObject({
      AttachRequired: true,
      PodInfoOnMount: false,
      StorageCapacity: false,
      TokenRequests: '<unset>',
      RequiresRepublish: false,
      Modes: 'Persistent',
    });
    const one = driver({ tokenRequests: [{ audience: 'a' }, { audience: 'b' }] });
    expect(cells(csiDriverDefinition, one)['TokenRequests']).toBe('a,b');
  });
});

describe('CSINodes', () => {
  const node = (...drivers: object[]) => made(csiNodeDefinition, { spec: { drivers } });
  const disk = { name: 'd.io', nodeID: 'n1', topologyKeys: ['zone'] };

  it.each<[string, object[], string[]]>([
    ['take a driver', [disk], []],
    ['take none', [], []],
    [
      'refuse one without names',
      [{ nodeID: '' }],
      ['spec.drivers[0].name Required', 'spec.drivers[0].nodeID Required'],
    ],
    [
      'refuse long names',
      [{ name: long, nodeID: 'x'.repeat(257) }],
      ['spec.drivers[0].name TooLong', 'spec.drivers[0].nodeID Invalid'],
    ],
    [
      'refuse what is said twice',
      [{ ...disk, topologyKeys: ['a', 'a'] }, disk],
      ['spec.drivers[0].topologyKeys Duplicate', 'spec.drivers[1].name Duplicate'],
    ],
    [
      'refuse odd keys and room below zero',
      [{ ...disk, topologyKeys: ['a/b/c', ''], allocatable: { count: -1 } }],
      [
        'spec.drivers[0].topologyKeys Invalid',
        'spec.drivers[0].topologyKeys Required',
        'spec.drivers[0].allocatable.count Invalid',
      ],
    ],
  ])('%s', (...[, drivers, fields]) => {
    expect(broken(csiNodeDefinition, node(...drivers))).toEqual(fields);
  });

  it('keep the drivers that stay, but for their room', () => {
    const roomier = node({ ...disk, allocatable: { count: 5 } });
    expect(broken(csiNodeDefinition, roomier, node(disk))).toEqual([]);
    expect(broken(csiNodeDefinition, node(), node(disk))).toEqual([]);
    const moved = node({ ...disk, nodeID: 'n2' });
    expect(broken(csiNodeDefinition, moved, node(disk))).toEqual(['CSINodeDriver Invalid']);
  });

  it('show how many drivers they have', () => {
    expect(cells(csiNodeDefinition, node(disk))['Drivers']).toBe(1);
  });
});

describe('CSIStorageCapacities', () => {
  const room = (more: object = {}) =>
    made(csiStorageCapacityDefinition, { storageClassName: 'fast', ...more });

  it('have a class, amounts and nodes', () => {
    expect(room({ capacity: '1024Mi' }).capacity).toBe('1Gi');
    expect(broken(csiStorageCapacityDefinition, room({ capacity: '1Gi' }))).toEqual([]);
    const bad = room({
      storageClassName: '',
      capacity: '-1',
      maximumVolumeSize: 'much',
      nodeTopology: { matchLabels: { a: '!' } },
    });
    expect(broken(csiStorageCapacityDefinition, bad)).toEqual([
      'storageClassName Invalid',
      'capacity Invalid',
      'maximumVolumeSize Invalid',
      'nodeTopology.matchLabels Invalid',
    ]);
  });

  it('keep the class and the nodes', () => {
    const next = room({ storageClassName: 'slow', nodeTopology: { matchLabels: { a: 'b' } } });
    expect(broken(csiStorageCapacityDefinition, next, room())).toEqual([
      'nodeTopology Invalid',
      'storageClassName Invalid',
    ]);
  });

  it('show class and amount', () => {
    expect(cells(csiStorageCapacityDefinition, room())).toEqual({
      Name: 'x',
      StorageClassName: 'fast',
      Capacity: '<unset>',
    });
  });
});

describe('VolumeAttachments', () => {
  const usual = { attacher: 'd.io', nodeName: 'n1', source: { persistentVolumeName: 'pv' } };
  const attachment = (more: object = {}) =>
    made(volumeAttachmentDefinition, { spec: { ...usual, ...more } });

  it.each<[string, object, string[]]>([
    ['take a volume', {}, []],
    ['take one that is written out', { source: { inlineVolumeSpec: {} } }, []],
    ['refuse no attacher', { attacher: '' }, ['spec.attacher Required']],
    ['refuse no source', { source: {} }, ['spec.source Required']],
    [
      'refuse two sources',
      { source: { inlineVolumeSpec: {}, persistentVolumeName: 'pv' } },
      ['spec.source Forbidden'],
    ],
    [
      'refuse a volume of no name',
      { source: { persistentVolumeName: '' } },
      ['spec.source.persistentVolumeName Required'],
    ],
    ['refuse no node', { nodeName: '' }, ['spec.nodeName Invalid']],
  ])('%s', (...[, more, fields]) => {
    expect(broken(volumeAttachmentDefinition, attachment(more))).toEqual(fields);
  });

  it('never change', () => {
    const next = attachment({ nodeName: 'n2' });
    expect(broken(volumeAttachmentDefinition, next, attachment())).toEqual(['spec Invalid']);
  });

  it('report in words of some length', () => {
    const status = { attached: false, attachError: { message: 'x'.repeat(1025) } };
    const one = { ...attachment(), status };
    const errors = volumeAttachmentDefinition.validateStatus?.(one, one);
    expect(errors?.map(({ field }) => field)).toEqual(['status.attachError.message']);
  });

  it('show what goes where', () => {
    expect(cells(volumeAttachmentDefinition, attachment())).toMatchObject({
      Attacher: 'd.io',
      PV: 'pv',
      Node: 'n1',
      Attached: false,
    });
  });
});

describe('RuntimeClasses', () => {
  const aClass = (more: object = {}) => made(runtimeClassDefinition, { handler: 'runc', ...more });

  it.each<[string, object, string[]]>([
    ['take a handler', {}, []],
    ['refuse none', { handler: '' }, ['handler Invalid']],
    ['refuse an odd one', { handler: 'a.b' }, ['handler Invalid']],
    [
      'refuse an overhead below zero',
      { overhead: { podFixed: { cpu: '-1' } } },
      ['overhead.podFixed[cpu] Invalid'],
    ],
    [
      'refuse odd places',
      {
        scheduling: { nodeSelector: { a: '!' }, tolerations: [{ operator: 'Exists', value: 'x' }] },
      },
      ['scheduling.nodeSelector Invalid', 'scheduling.tolerations[0].operator Invalid'],
    ],
  ])('%s', (...[, more, fields]) => {
    expect(broken(runtimeClassDefinition, aClass(more))).toEqual(fields);
  });

  it('keep their handler, and show it', () => {
    const next = aClass({ handler: 'gvisor', overhead: { podFixed: { memory: '1024Ki' } } });
    expect(broken(runtimeClassDefinition, next, aClass())).toEqual(['handler Invalid']);
    expect(next.overhead?.podFixed).toEqual({ memory: '1Mi' });
    expect(cells(runtimeClassDefinition, next)['Handler']).toBe('gvisor');
  });
});
