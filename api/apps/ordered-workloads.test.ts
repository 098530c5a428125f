// StatefulSets, DaemonSets and ControllerRevisions: defaults, rules with their fields and types, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { DaemonSet, StatefulSet } from '../generated/types.ts';
import { controllerRevisionDefinition } from './controller-revision.ts';
import { daemonSetDefinition } from './daemon-set.ts';
import { statefulSetDefinition } from './stateful-set.ts';

const template = (spec: object = {}) => ({
  metadata: { labels: { app: 'db' } },
  spec: { containers: [{ name: 'db', image: 'db:1' }], ...spec },
});
const base = { selector: { matchLabels: { app: 'db' } }, template: template() };
const set = (spec: object = {}, metadata: object = {}) =>
  made(statefulSetDefinition, {
    metadata: { name: 'db', ...metadata },
    spec: { ...base, ...spec },
  });
const daemons = (spec: object = {}) => made(daemonSetDefinition, { spec: { ...base, ...spec } });
const revision = (parts: object) => made(controllerRevisionDefinition, parts);
const claim = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
};
const mounting = (name: string) =>
  template({
    containers: [{ name: 'db', image: 'db:1', volumeMounts: [{ name, mountPath: '/d' }] }],
  });

describe('StatefulSets', () => {
  it('are filled in as documented, their claims too', () => {
    const { spec } = set({ volumeClaimTemplates: [claim] });
    expect(spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: {
        type: 'RollingUpdate',
        rollingUpdate: { partition: 0, maxUnavailable: 1 },
      },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: { spec: { restartPolicy: 'Always' } },
    });
    expect(spec?.volumeClaimTemplates?.[0]).toMatchObject({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { volumeMode: 'Filesystem', resources: { requests: { storage: '1Gi' } } },
      status: { phase: 'Pending' },
    });
  });

  it('start with no pods', () => {
    const one = set();
    statefulSetDefinition.prepareForCreate?.(one);
    expect(one.status).toEqual({ replicas: 0, availableReplicas: 0 });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['no Service', { serviceName: '' }, []],
    ['a Service of an odd name', { serviceName: 'My.Db' }, ['spec.serviceName Invalid']],
    ['mounts of claims to come', { volumeClaimTemplates: [claim], template: mounting('data') }, []],
    [
      'a claim and a volume of one name',
      {
        volumeClaimTemplates: [claim],
        template: template({ volumes: [{ name: 'data', hostPath: {} }] }),
      },
      [],
    ],
    [
      'claims beside odd volumes',
      {
        volumeClaimTemplates: [claim, { ...claim, metadata: { name: 'logs' } }],
        template: template({
          volumes: [{ name: 'a', emptyDir: {} }, { name: 'logs' }, { name: 'B' }],
        }),
      },
      ['spec.template.spec.volumes[2].name Invalid'],
    ],
    [
      'a claim without a name',
      { volumeClaimTemplates: [{ ...claim, metadata: {} }] },
      ['spec.volumeClaimTemplates[0].metadata.name Required'],
    ],
    [
      'mounts of nothing',
      { template: mounting('data') },
      ['spec.template.spec.containers[0].volumeMounts[0].name NotFound'],
    ],
    [
      'no containers',
      { template: template({ containers: [] }) },
      ['spec.template.spec.containers Required'],
    ],
    [
      'odd labels of pods',
      { template: { ...template(), metadata: { labels: { app: 'db', x: '-' } } } },
      ['spec.template.labels Invalid'],
    ],
    [
      'claims that ask for nothing',
      { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] },
      [
        'spec.volumeClaimTemplates[0].spec.accessModes Required',
        'spec.volumeClaimTemplates[0].spec.resources[storage] Required',
      ],
    ],
    ['an odd order', { podManagementPolicy: 'Random' }, ['spec.podManagementPolicy Invalid']],
    ['an odd strategy', { updateStrategy: { type: 'Odd' } }, ['spec.updateStrategy Invalid']],
    [
      'a rolling OnDelete',
      { updateStrategy: { type: 'OnDelete', rollingUpdate: {} } },
      ['spec.updateStrategy.rollingUpdate Invalid'],
    ],
    [
      'a partition below zero',
      { updateStrategy: { rollingUpdate: { partition: -1 } } },
      ['spec.updateStrategy.rollingUpdate.partition Invalid'],
    ],
    [
      'none unavailable',
      { updateStrategy: { rollingUpdate: { maxUnavailable: '0%' } } },
      ['spec.updateStrategy.rollingUpdate.maxUnavailable Invalid'],
    ],
    [
      'more than all unavailable',
      { updateStrategy: { rollingUpdate: { maxUnavailable: '101%' } } },
      ['spec.updateStrategy.rollingUpdate.maxUnavailable Invalid'],
    ],
    [
      'odd claims policies',
      { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Keep', whenScaled: 'Keep' } },
      [
        'spec.persistentVolumeClaimRetentionPolicy.whenDeleted NotSupported',
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled NotSupported',
      ],
    ],
    ['fewer than no replicas', { replicas: -1 }, ['spec.replicas Invalid']],
    ['no time to be ready', { minReadySeconds: -1 }, ['spec.minReadySeconds Invalid']],
    ['ordinals below zero', { ordinals: { start: -1 } }, ['spec.ordinals.start Invalid']],
    [
      'no selector',
      { selector: undefined },
      ['spec.selector Required', 'spec.template.metadata.labels Invalid'],
    ],
    ['an empty selector', { selector: {} }, ['spec.selector Invalid']],
    [
      'a selector of others',
      { selector: { matchLabels: { app: 'x' } } },
      ['spec.template.metadata.labels Invalid'],
    ],
    [
      'pods that end',
      { template: template({ restartPolicy: 'Never', activeDeadlineSeconds: 5 }) },
      [
        'spec.template.spec.restartPolicy NotSupported',
        'spec.template.spec.activeDeadlineSeconds Forbidden',
      ],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(statefulSetDefinition, set(spec))).toEqual(errors);
  });

  it('have names that fit into the names of hosts', () => {
    expect(statefulSetDefinition.validateName?.('a.b')).toContain('RFC 1123 label');
    expect(statefulSetDefinition.validateName?.('a-b')).toBeUndefined();
  });

  it.each<[string, object, boolean]>([
    ['their size', { replicas: 3 }, true],
    ['their template', { template: template({ nodeName: 'n' }) }, true],
    ['how they update', { updateStrategy: { type: 'OnDelete' } }, true],
    ['how many revisions they keep', { revisionHistoryLimit: 2 }, true],
    ['what becomes of claims', { persistentVolumeClaimRetentionPolicy: {} }, true],
    ['when pods count as available', { minReadySeconds: 2 }, true],
    ['their first number', { ordinals: { start: 2 } }, true],
    ['their Service', { serviceName: 'other' }, false],
    ['their order', { podManagementPolicy: 'Parallel' }, false],
    ['their claims', { volumeClaimTemplates: [claim] }, false],
  ])('may change %s: %s', (_, spec, allowed) => {
    const errors = statefulSetDefinition.validate?.(set(spec), set()) ?? [];
    const why =
      "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', " +
      "'template', 'updateStrategy', 'revisionHistoryLimit', " +
      "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(
      allowed ? [] : [`spec: ${why}`],
    );
  });

  it('may be changed though they were stored with what would not be taken today', () => {
    const wrong = { serviceName: 'My.Db', volumeClaimTemplates: [{ metadata: {}, spec: {} }] };
    const change = (before: object, after: object) =>
      statefulSetDefinition.validate?.(set(after), set(before)).map(({ field }) => field);
    expect(change(wrong, { ...wrong, replicas: 2 })).toEqual([]);
    const empty = { template: template({ containers: [] }) };
    expect(change(empty, { ...empty, replicas: 2 })).toEqual([]);
    expect(change({}, empty)).toEqual(['spec.template.spec.containers']);
    const odd = (metadata: object) =>
      change(empty, {
        template: { ...empty.template, metadata: { labels: { app: 'db' }, ...metadata } },
      });
    expect(odd({ labels: { app: 'db', 'bad key!': '-' } })).toEqual(
      Array.from({ length: 2 }, () => 'spec.template.labels'),
    );
    expect(odd({ annotations: { 'bad key!': '' } })).toEqual(['spec.template.annotations']);
    const mute = { ...base, replicas: -1 };
    expect(change(mute, { ...mute, ...empty })).toEqual([
      'spec.replicas',
      'spec.template.spec.containers',
    ]);
  });

  it('refuse a status that does not add up', () => {
    const status = { replicas: 1, readyReplicas: 2, availableReplicas: -1, collisionCount: 1 };
    const old: StatefulSet = { ...set(), status: { replicas: 1, collisionCount: 2 } };
    const errors = statefulSetDefinition.validateStatus?.({ ...set(), status }, old);
    expect(errors?.map(({ field }) => field)).toEqual([
      'status.availableReplicas',
      'status.readyReplicas',
      'status.collisionCount',
    ]);
  });

  it('show ready pods of all, and can be scaled', () => {
    const one: StatefulSet = { ...set({ replicas: 3 }), status: { replicas: 2, readyReplicas: 1 } };
    expect(cells(statefulSetDefinition, one)).toEqual({
      Name: 'db',
      Ready: '1/3',
      Age: '<unknown>',
      Containers: 'db',
      Images: 'db:1',
    });
    expect(statefulSetDefinition.scale?.selector(one)).toBe('app=db');
    expect(statefulSetDefinition.scale?.withReplicas(one, 7).spec?.replicas).toBe(7);
  });
});

describe('DaemonSets', () => {
  it('are filled in as documented', () => {
    expect(daemons().spec).toMatchObject({
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    });
    expect(daemons({ updateStrategy: { type: 'OnDelete' } }).spec?.updateStrategy).toEqual({
      type: 'OnDelete',
    });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    [
      'a surge alone',
      { updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } },
      [],
    ],
    ['no selector', { selector: undefined }, ['spec.template.metadata.labels Invalid']],
    ['an empty selector', { selector: {} }, ['spec.selector Invalid']],
    [
      'no containers',
      { template: template({ containers: [] }) },
      ['spec.template.spec.containers Required'],
    ],
    ['an odd strategy', { updateStrategy: { type: 'Odd' } }, ['spec.updateStrategy NotSupported']],
    [
      'both more and fewer',
      { updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } },
      ['spec.updateStrategy.rollingUpdate.maxSurge Invalid'],
    ],
    [
      'neither more nor fewer',
      { updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } },
      ['spec.updateStrategy.rollingUpdate.maxUnavailable Required'],
    ],
    [
      'pods that end',
      { template: template({ restartPolicy: 'OnFailure' }) },
      ['spec.template.spec.restartPolicy NotSupported'],
    ],
    ['no history at all', { revisionHistoryLimit: -1 }, ['spec.revisionHistoryLimit Invalid']],
  ])('with %s', (_, spec, errors) => {
    expect(broken(daemonSetDefinition, daemons(spec))).toEqual(errors);
  });

  it('keep their selector', () => {
    const other = daemons({
      selector: { matchLabels: { tier: 'x' } },
      template: { ...template(), metadata: { labels: { tier: 'x' } } },
    });
    expect(broken(daemonSetDefinition, other, daemons())).toEqual(['spec.selector Invalid']);
  });

  it('count the changes of their template', () => {
    const old = daemons();
    daemonSetDefinition.prepareForCreate?.(old);
    const generation = (spec: object) => {
      const next = daemons(spec);
      daemonSetDefinition.prepareForUpdate?.(next, old);
      return next.metadata.annotations;
    };
    const key = 'deprecated.daemonset.template.generation';
    expect(old.metadata.annotations).toEqual({ [key]: '1' });
    expect(generation({ minReadySeconds: 3 })).toEqual({ [key]: '1' });
    expect(generation({ template: template({ nodeName: 'n' }) })).toEqual({ [key]: '2' });
  });

  it('show how many nodes they reach', () => {
    const status = {
      desiredNumberScheduled: 5,
      currentNumberScheduled: 4,
      numberMisscheduled: 0,
      numberReady: 3,
      updatedNumberScheduled: 2,
      numberAvailable: 1,
    };
    const spec = { template: template({ nodeSelector: { disk: 'ssd', arch: 'arm' } }) };
    const one: DaemonSet = { ...daemons(spec), status };
    expect(cells(daemonSetDefinition, one)).toEqual({
      Name: 'x',
      Desired: 5,
      Current: 4,
      Ready: 3,
      'Up-to-date': 2,
      Available: 1,
      'Node Selector': 'arch=arm,disk=ssd',
      Age: '<unknown>',
      Containers: 'db',
      Images: 'db:1',
      Selector: 'app=db',
    });
  });
});

describe('ControllerRevisions', () => {
  it.each<[string, object, string[]]>([
    ['nothing wrong', { data: { a: 1 }, revision: 1 }, []],
    ['no data', { revision: 1 }, ['data Required']],
    ['a revision below zero', { data: {}, revision: -1 }, ['revision Invalid']],
  ])('with %s', (_, parts, errors) => {
    expect(broken(controllerRevisionDefinition, revision(parts))).toEqual(errors);
  });

  it('keep their data', () => {
    const [now, old] = [revision({ data: { a: 2 }, revision: 1 }), revision({ data: { a: 1 } })];
    expect(broken(controllerRevisionDefinition, now, old)).toEqual(['data Invalid']);
  });

  it('show whose state they are', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'u' };
    const metadata = { name: 'db-1', ownerReferences: [{ ...owner, controller: true }] };
    expect(cells(controllerRevisionDefinition, revision({ metadata, revision: 3 }))).toEqual({
      Name: 'db-1',
      Controller: 'statefulset.apps/db',
      Revision: 3,
      Age: '<unknown>',
    });
    expect(cells(controllerRevisionDefinition, revision({ revision: 3 }))['Controller']).toBe(
      '<none>',
    );
  });
});
