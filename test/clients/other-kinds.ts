// One object of each kind beside workloads, and what kubectl shows of it.
// Invariant: headers and rows are what upstream prints, in its order; AGE stands for an age.
import type { ShownKind } from './shown-kinds.ts';

const NETWORKING = 'networking.k8s.io/v1';
const STORAGE = 'storage.k8s.io/v1';
const RESOURCE = 'resource.k8s.io/v1';
const FLOWCONTROL = 'flowcontrol.apiserver.k8s.io/v1';
const ADMISSION = 'admissionregistration.k8s.io/v1';

const rules = [
  {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CREATE'],
    resources: ['pods'],
    // kubectl compares such lists as a whole, so what is left out here always differs.
    scope: '*',
  },
];
const webhooks = [
  {
    name: 'check.example.com',
    // Ignored when nobody answers, so that nothing stands still once webhooks are asked.
    failurePolicy: 'Ignore',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    clientConfig: { url: 'https://check.example.com/' },
    rules: [{ ...rules[0], apiGroups: ['example.com'] }],
  },
];

/** The table. */
export const otherKinds: readonly ShownKind[] = [
  {
    object: {
      apiVersion: NETWORKING,
      kind: 'Ingress',
      metadata: { name: 'shop' },
      spec: {
        ingressClassName: 'nginx',
        rules: [
          {
            host: 'shop.example.com',
            http: {
              paths: [
                {
                  path: '/',
                  pathType: 'Prefix',
                  backend: { service: { name: 'shop', port: { number: 80 } } },
                },
              ],
            },
          },
        ],
      },
    },
    short: 'ing',
    header: ['NAME', 'CLASS', 'HOSTS', 'ADDRESS', 'PORTS', 'AGE'],
    // An empty address leaves no cell.
    row: ['shop', 'nginx', 'shop.example.com', '80', 'AGE'],
    described: /Ingress Class: +nginx/,
  },
  {
    object: {
      apiVersion: NETWORKING,
      kind: 'IngressClass',
      metadata: { name: 'nginx' },
      spec: {
        controller: 'example.com/ingress',
        parameters: { apiGroup: 'example.com', kind: 'Config', name: 'c' },
      },
    },
    short: 'ingressclass',
    header: ['NAME', 'CONTROLLER', 'PARAMETERS', 'AGE'],
    row: ['nginx', 'example.com/ingress', 'Config.example.com/c', 'AGE'],
    described: /Controller: +example.com\/ingress/,
  },
  {
    object: {
      apiVersion: NETWORKING,
      kind: 'NetworkPolicy',
      metadata: { name: 'web' },
      spec: {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80, protocol: 'TCP' }] }],
      },
    },
    short: 'netpol',
    header: ['NAME', 'POD-SELECTOR', 'AGE'],
    row: ['web', 'app=web', 'AGE'],
    described: /Policy Types: Ingress/,
  },
  {
    object: {
      apiVersion: NETWORKING,
      kind: 'IPAddress',
      metadata: { name: '10.96.0.77' },
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } },
    },
    short: 'ip',
    header: ['NAME', 'PARENTREF'],
    row: ['10.96.0.77', 'services/default/web'],
    described: /Resource: +services/,
  },
  {
    object: {
      apiVersion: NETWORKING,
      kind: 'ServiceCIDR',
      metadata: { name: 'more' },
      spec: { cidrs: ['10.97.0.0/24'] },
    },
    short: 'servicecidr',
    header: ['NAME', 'CIDRS', 'AGE'],
    row: ['more', '10.97.0.0/24', 'AGE'],
    described: /CIDRs: +10.97.0.0\/24/,
  },
  {
    object: {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 1000,
      description: 'For what matters.',
    },
    short: 'pc',
    header: ['NAME', 'VALUE', 'GLOBAL-DEFAULT', 'AGE', 'PREEMPTIONPOLICY'],
    row: ['high', '1000', 'false', 'AGE', 'PreemptLowerPriority'],
    described: /Value: +1000/,
  },
  {
    object: {
      apiVersion: STORAGE,
      kind: 'StorageClass',
      metadata: {
        name: 'fast',
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
      provisioner: 'example.com/disk',
      allowVolumeExpansion: true,
    },
    short: 'sc',
    header: [
      'NAME',
      'PROVISIONER',
      'RECLAIMPOLICY',
      'VOLUMEBINDINGMODE',
      'ALLOWVOLUMEEXPANSION',
      'AGE',
    ],
    row: ['fast (default)', 'example.com/disk', 'Delete', 'Immediate', 'true', 'AGE'],
    described: /IsDefaultClass: +Yes/,
  },
  {
    object: {
      apiVersion: STORAGE,
      kind: 'VolumeAttributesClass',
      metadata: { name: 'silver' },
      driverName: 'example.com',
      parameters: { iops: '500' },
    },
    short: 'vac',
    header: ['NAME', 'DRIVERNAME', 'AGE'],
    row: ['silver', 'example.com', 'AGE'],
    described: /iops/,
  },
  {
    object: {
      apiVersion: STORAGE,
      kind: 'CSIDriver',
      metadata: { name: 'example.com' },
      spec: { podInfoOnMount: true, tokenRequests: [{ audience: 'vault' }] },
    },
    short: 'csidriver',
    header: [
      'NAME',
      'ATTACHREQUIRED',
      'PODINFOONMOUNT',
      'STORAGECAPACITY',
      'TOKENREQUESTS',
      'REQUIRESREPUBLISH',
      'MODES',
      'AGE',
    ],
    row: ['example.com', 'true', 'true', 'false', 'vault', 'false', 'Persistent', 'AGE'],
    described: /Fs Group Policy: +ReadWriteOnceWithFSType/,
  },
  {
    object: {
      apiVersion: STORAGE,
      kind: 'CSINode',
      metadata: { name: 'n1' },
      spec: { drivers: [{ name: 'example.com', nodeID: 'n1' }] },
    },
    short: 'csinode',
    header: ['NAME', 'DRIVERS', 'AGE'],
    row: ['n1', '1', 'AGE'],
    described: /example.com/,
  },
  {
    object: {
      apiVersion: STORAGE,
      kind: 'CSIStorageCapacity',
      metadata: { name: 'room' },
      storageClassName: 'fast',
      capacity: '10Gi',
    },
    short: 'csistoragecapacity',
    header: ['NAME', 'STORAGECLASSNAME', 'CAPACITY'],
    row: ['room', 'fast', '10Gi'],
    described: /Storage Class Name: +fast/,
  },
  {
    object: {
      apiVersion: STORAGE,
      kind: 'VolumeAttachment',
      metadata: { name: 'tie' },
      spec: { attacher: 'example.com', nodeName: 'n1', source: { persistentVolumeName: 'pv' } },
    },
    short: 'volumeattachment',
    header: ['NAME', 'ATTACHER', 'PV', 'NODE', 'ATTACHED', 'AGE'],
    row: ['tie', 'example.com', 'pv', 'n1', 'false', 'AGE'],
    described: /Attacher: +example.com/,
  },
  {
    object: {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'safe' },
      handler: 'gvisor',
    },
    short: 'runtimeclass',
    header: ['NAME', 'HANDLER', 'AGE'],
    row: ['safe', 'gvisor', 'AGE'],
    described: /Handler: +gvisor/,
  },
  {
    object: {
      apiVersion: ADMISSION,
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'checks' },
      webhooks,
    },
    short: 'validatingwebhookconfiguration',
    header: ['NAME', 'WEBHOOKS', 'AGE'],
    row: ['checks', '1', 'AGE'],
    described: /Timeout Seconds: +10/,
  },
  {
    object: {
      apiVersion: ADMISSION,
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'changes' },
      webhooks,
    },
    short: 'mutatingwebhookconfiguration',
    header: ['NAME', 'WEBHOOKS', 'AGE'],
    row: ['changes', '1', 'AGE'],
    described: /Reinvocation Policy: +Never/,
  },
  {
    object: {
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'small' },
      spec: {
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: 'true', message: 'never seen' }],
      },
    },
    short: 'validatingadmissionpolicy',
    header: ['NAME', 'VALIDATIONS', 'PARAMKIND', 'AGE'],
    row: ['small', '1', '<unset>', 'AGE'],
    described: /Failure Policy: +Fail/,
  },
  {
    object: {
      apiVersion: ADMISSION,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'small-here' },
      spec: {
        policyName: 'small',
        validationActions: ['Audit'],
        paramRef: { name: 'p', parameterNotFoundAction: 'Allow' },
      },
    },
    short: 'validatingadmissionpolicybinding',
    header: ['NAME', 'POLICYNAME', 'PARAMREF', 'AGE'],
    row: ['small-here', 'small', '*/p', 'AGE'],
    described: /Policy Name: +small/,
  },
  {
    object: {
      apiVersion: ADMISSION,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: 'mend' },
      spec: {
        matchConstraints: { resourceRules: rules },
        mutations: [
          {
            patchType: 'JSONPatch',
            jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/spec/a'}]" },
          },
        ],
        reinvocationPolicy: 'Never',
      },
    },
    short: 'mutatingadmissionpolicy',
    header: ['NAME', 'MUTATIONS', 'PARAMKIND', 'AGE'],
    row: ['mend', '1', '<unset>', 'AGE'],
    described: /Patch Type: +JSONPatch/,
  },
  {
    object: {
      apiVersion: ADMISSION,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: 'mend-here' },
      spec: { policyName: 'mend' },
    },
    short: 'mutatingadmissionpolicybinding',
    header: ['NAME', 'POLICYNAME', 'PARAMREF', 'AGE'],
    row: ['mend-here', 'mend', '<unset>', 'AGE'],
    described: /Policy Name: +mend/,
  },
  {
    object: {
      apiVersion: RESOURCE,
      kind: 'ResourceClaim',
      metadata: { name: 'one-gpu' },
      spec: {
        devices: {
          requests: [
            {
              name: 'gpu',
              exactly: {
                deviceClassName: 'gpu.example.com',
                allocationMode: 'ExactCount',
                count: 1,
              },
            },
          ],
        },
      },
    },
    short: 'resourceclaim',
    header: ['NAME', 'STATE', 'AGE'],
    row: ['one-gpu', 'pending', 'AGE'],
    described: /Device Class Name: +gpu.example.com/,
  },
  {
    object: {
      apiVersion: RESOURCE,
      kind: 'ResourceClaimTemplate',
      metadata: { name: 'gpus' },
      spec: { spec: { devices: {} } },
    },
    short: 'resourceclaimtemplate',
    header: ['NAME', 'AGE'],
    row: ['gpus', 'AGE'],
    described: /Name: +gpus/,
  },
  {
    object: {
      apiVersion: RESOURCE,
      kind: 'DeviceClass',
      metadata: { name: 'gpu.example.com' },
      spec: { selectors: [{ cel: { expression: 'true' } }] },
    },
    short: 'deviceclass',
    header: ['NAME', 'AGE'],
    row: ['gpu.example.com', 'AGE'],
    described: /Expression: +true/,
  },
  {
    object: {
      apiVersion: RESOURCE,
      kind: 'ResourceSlice',
      metadata: { name: 'n1-gpus' },
      spec: {
        driver: 'gpu.example.com',
        nodeName: 'n1',
        pool: { name: 'n1', generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'gpu-0' }],
      },
    },
    short: 'resourceslice',
    header: ['NAME', 'NODE', 'DRIVER', 'POOL', 'AGE'],
    row: ['n1-gpus', 'n1', 'gpu.example.com', 'n1', 'AGE'],
    described: /Driver: +gpu.example.com/,
  },
  {
    object: {
      apiVersion: FLOWCONTROL,
      kind: 'FlowSchema',
      metadata: { name: 'people' },
      spec: {
        matchingPrecedence: 500,
        priorityLevelConfiguration: { name: 'people' },
        distinguisherMethod: { type: 'ByUser' },
      },
    },
    short: 'flowschema',
    header: [
      'NAME',
      'PRIORITYLEVEL',
      'MATCHINGPRECEDENCE',
      'DISTINGUISHERMETHOD',
      'AGE',
      'MISSINGPL',
    ],
    row: ['people', 'people', '500', 'ByUser', 'AGE', '?'],
    described: /Matching Precedence: +500/,
  },
  {
    object: {
      apiVersion: FLOWCONTROL,
      kind: 'PriorityLevelConfiguration',
      metadata: { name: 'people' },
      spec: {
        type: 'Limited',
        limited: { limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 4 } } },
      },
    },
    short: 'prioritylevelconfiguration',
    header: [
      'NAME',
      'TYPE',
      'NOMINALCONCURRENCYSHARES',
      'QUEUES',
      'HANDSIZE',
      'QUEUELENGTHLIMIT',
      'AGE',
    ],
    row: ['people', 'Limited', '30', '16', '4', '50', 'AGE'],
    described: /Nominal Concurrency Shares: +30/,
  },
];
