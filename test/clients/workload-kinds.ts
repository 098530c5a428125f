// One object of each kind of workload, of what workloads need and of what bounds them, and what kubectl shows of it.
// Invariant: headers and rows are what upstream prints, in its order; AGE stands for an age, TIME for a time.
import type { ShownKind } from './shown-kinds.ts';

const labels = { app: 'db' };
const selector = { matchLabels: labels };
const containers = [{ name: 'db', image: 'db:1' }];
/** A pod that stays, bound to no node, so that nothing runs. */
const template = { metadata: { labels }, spec: { containers } };
const ending = { spec: { containers, restartPolicy: 'Never' } };
const claimSpec = {
  accessModes: ['ReadWriteOnce'],
  storageClassName: 'fast',
  resources: { requests: { storage: '1Gi' } },
};
const CONTAINERS = ['CONTAINERS', 'IMAGES'];

/** The table. */
export const workloadKinds: readonly ShownKind[] = [
  {
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'disk' },
      spec: {
        capacity: { storage: '5Gi' },
        accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
        storageClassName: 'fast',
        hostPath: { path: '/srv/disk' },
      },
    },
    short: 'pv',
    header: [
      'NAME',
      'CAPACITY',
      'ACCESS MODES',
      'RECLAIM POLICY',
      'STATUS',
      'CLAIM',
      'STORAGECLASS',
      'VOLUMEATTRIBUTESCLASS',
      'REASON',
      'AGE',
    ],
    row: ['disk', '5Gi', 'RWO,ROX', 'Retain', 'FREE', 'fast', '<unset>', 'AGE'],
    wide: ['VOLUMEMODE'],
    wideRow: ['Filesystem'],
    described: /Capacity: +5Gi[^]*Type: +HostPath/,
  },
  {
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      spec: claimSpec,
    },
    short: 'pvc',
    header: [
      'NAME',
      'STATUS',
      'VOLUME',
      'CAPACITY',
      'ACCESS MODES',
      'STORAGECLASS',
      'VOLUMEATTRIBUTESCLASS',
      'AGE',
    ],
    row: ['data', 'Pending', 'fast', '<unset>', 'AGE'],
    wide: ['VOLUMEMODE'],
    wideRow: ['Filesystem'],
    described: /StorageClass: +fast\nStatus: +Pending[^]*VolumeMode: +Filesystem/,
  },
  {
    object: {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: { name: 'old' },
      spec: { replicas: 2, selector: labels, template },
    },
    short: 'rc',
    header: ['NAME', 'DESIRED', 'CURRENT', 'READY', 'AGE'],
    row: ['old', '2', '0', '0', 'AGE'],
    wide: [...CONTAINERS, 'SELECTOR'],
    wideRow: ['db', 'db:1', 'app=db'],
    described: /Replicas: +0 current \/ 2 desired/,
  },
  {
    object: { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'mould' }, template },
    short: 'podtemplate',
    header: ['NAME', ...CONTAINERS, 'POD LABELS'],
    row: ['mould', 'db', 'db:1', 'app=db'],
    described: /Kind: +PodTemplate/,
  },
  {
    object: {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'bounds' },
      spec: { limits: [{ type: 'Pod', max: { cpu: '64' } }] },
    },
    short: 'limits',
    header: ['NAME', 'CREATED AT'],
    row: ['bounds', 'TIME'],
    described: /Pod +cpu +- +64/,
  },
  {
    object: {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'share' },
      spec: {},
    },
    short: 'quota',
    header: ['NAME', 'REQUEST', 'LIMIT', 'AGE'],
    row: ['share', 'AGE'],
    described: /Resource +Used +Hard/,
  },
  {
    object: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        replicas: 3,
        serviceName: 'db',
        selector,
        template,
        // Lists that are replaced as a whole differ at each apply unless all is said.
        volumeClaimTemplates: [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: { name: 'data' },
            spec: { ...claimSpec, volumeMode: 'Filesystem' },
            status: { phase: 'Pending' },
          },
        ],
      },
    },
    short: 'sts',
    header: ['NAME', 'READY', 'AGE'],
    row: ['db', '0/3', 'AGE'],
    wide: CONTAINERS,
    wideRow: ['db', 'db:1'],
    described: /Replicas: +3 desired \| 0 total[^]*Volume Claims:\n +Name: +data/,
  },
  {
    object: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent' },
      spec: {
        selector,
        template: { ...template, spec: { containers, nodeSelector: { none: 'such' } } },
      },
    },
    short: 'ds',
    header: [
      'NAME',
      'DESIRED',
      'CURRENT',
      'READY',
      'UP-TO-DATE',
      'AVAILABLE',
      'NODE SELECTOR',
      'AGE',
    ],
    row: ['agent', '0', '0', '0', '0', '0', 'none=such', 'AGE'],
    wide: [...CONTAINERS, 'SELECTOR'],
    wideRow: ['db', 'db:1', 'app=db'],
    described: /Desired Number of Nodes Scheduled: 0/,
  },
  {
    object: {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'db-1' },
      revision: 1,
      data: { spec: { template } },
    },
    short: 'controllerrevision',
    header: ['NAME', 'CONTROLLER', 'REVISION', 'AGE'],
    row: ['db-1', '<none>', '1', 'AGE'],
    described: /Kind: +ControllerRevision/,
  },
  {
    object: {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once' },
      spec: { completions: 3, suspend: true, template: ending },
    },
    short: 'job',
    header: ['NAME', 'STATUS', 'COMPLETIONS', 'DURATION', 'AGE'],
    row: ['once', 'Running', '0/3', 'AGE'],
    wide: [...CONTAINERS, 'SELECTOR'],
    described: /Parallelism: +1\nCompletions: +3[^]*Pods Statuses: +0 Active/,
  },
  {
    object: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly' },
      spec: {
        schedule: '0 3 * * *',
        timeZone: 'Europe/Berlin',
        suspend: true,
        jobTemplate: { spec: { template: ending } },
      },
    },
    short: 'cj',
    header: ['NAME', 'SCHEDULE', 'TIMEZONE', 'SUSPEND', 'ACTIVE', 'LAST SCHEDULE', 'AGE'],
    row: ['nightly', '0 3 * * *', 'Europe/Berlin', 'True', '0', '<none>', 'AGE'],
    wide: [...CONTAINERS, 'SELECTOR'],
    wideRow: ['db', 'db:1', '<none>'],
    described: /Schedule: +0 3 \* \* \*\nConcurrency Policy: +Allow/,
  },
  {
    object: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'calm' },
      spec: { minAvailable: '50%', selector },
    },
    short: 'pdb',
    // Its selector is replaced as a whole, and so kubectl sends it at each apply.
    alwaysPatched: true,
    header: ['NAME', 'MIN AVAILABLE', 'MAX UNAVAILABLE', 'ALLOWED DISRUPTIONS', 'AGE'],
    row: ['calm', '50%', 'N/A', '0', 'AGE'],
    described: /Min available: +50%\nSelector: +app=db/,
  },
];
