// Pods: what is refused, each with its field and why.
import { describe, expect, it } from 'vitest';
import { aPod, textsOf, type Written } from '../../test/support/written-pod.ts';
import type { PodSpec } from '../generated/types.ts';
import { cpuMs } from '../../test/support/cpu.ts';

const claimSpec = {
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: '1Gi' } },
};
const ephemeral = (template: object) => ({
  name: 'v',
  ephemeral: { volumeClaimTemplate: { spec: claimSpec, ...template } },
});

describe('rules of a pod', () => {
  it('pass a pod that uses most of what there is', () => {
    const pod = aPod(
      {
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [
          { name: 'A', value: 'x' },
          { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
          { name: 'C', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        ],
        envFrom: [{ configMapRef: { name: 'c' }, prefix: 'P_' }],
        volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a/b' }],
        resources: { requests: { cpu: '100m' }, limits: { cpu: '1', 'example.com/gpu': '1' } },
        livenessProbe: { exec: { command: ['true'] } },
        readinessProbe: { httpGet: { port: 'http', httpHeaders: [{ name: 'X-A', value: '' }] } },
        startupProbe: { grpc: { port: 1 } },
        lifecycle: { preStop: { sleep: { seconds: 1 } } },
        securityContext: { runAsUser: 0, privileged: true },
      },
      {
        volumes: [
          { name: 'v', emptyDir: { sizeLimit: '1Gi' } },
          {
            ...ephemeral({ metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } }),
            name: 'e',
          },
        ],
        initContainers: [
          { name: 'i', image: 'x' },
          {
            name: 's',
            image: 'x',
            restartPolicy: 'Always',
            livenessProbe: { tcpSocket: { port: 1 } },
          },
        ],
        tolerations: [
          { operator: 'Exists' },
          { key: 'a', value: 'b', effect: 'NoExecute', tolerationSeconds: 3 },
        ],
        nodeSelector: { 'kubernetes.io/hostname': 'n' },
        hostAliases: [{ ip: '10.0.0.1', hostnames: ['a.b'] }],
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
        ],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
            },
          },
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: { topologyKey: 'zone', labelSelector: {} } },
            ],
          },
        },
      },
    );
    expect(textsOf(pod)).toEqual([]);
  });

  const c = 'spec.containers[0]';
  it.each<[string, Written, Partial<PodSpec>, string]>([
    ['no containers', {}, { containers: [] }, 'spec.containers: Required value'],
    ['no name', { name: undefined }, {}, `${c}.name: Required value`],
    [
      'a bad name',
      { name: 'A_b' },
      {},
      `${c}.name: Invalid value: "A_b": a lowercase RFC 1123 label`,
    ],
    ['no image', { image: undefined }, {}, `${c}.image: Required value`],
    [
      'a padded image',
      { image: ' x' },
      {},
      `${c}.image: Invalid value: " x": must not have leading`,
    ],
    [
      'a name twice',
      {},
      { initContainers: [{ name: 'app', image: 'x' }] },
      'spec.initContainers[0].name: Duplicate value: "app"',
    ],
    [
      'an odd pull policy',
      { imagePullPolicy: 'Maybe' },
      {},
      `${c}.imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"`,
    ],
    [
      'a port of 0',
      { ports: [{ containerPort: 0 }] },
      {},
      `${c}.ports[0].containerPort: Required value`,
    ],
    [
      'a port too high',
      { ports: [{ containerPort: 70000 }] },
      {},
      `${c}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
    ],
    [
      'a port name twice',
      {
        ports: [
          { name: 'a', containerPort: 1 },
          { name: 'a', containerPort: 2 },
        ],
      },
      {},
      `${c}.ports[1].name: Duplicate value: "a"`,
    ],
    [
      'an odd protocol',
      { ports: [{ containerPort: 1, protocol: 'ICMP' }] },
      {},
      `${c}.ports[0].protocol: Unsupported value: "ICMP"`,
    ],
    [
      'a host port twice',
      {
        ports: [
          { containerPort: 1, hostPort: 9 },
          { containerPort: 2, hostPort: 9 },
        ],
      },
      {},
      `${c}.ports[1].hostPort: Duplicate value: "TCP//9"`,
    ],
    [
      'a mount of no volume',
      { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      {},
      `${c}.volumeMounts[0].name: Not found: "v"`,
    ],
    [
      'two mounts in one place',
      {
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'v', mountPath: '/v' },
        ],
      },
      { volumes: [{ name: 'v' }] },
      `${c}.volumeMounts[1].mountPath: Invalid value: "/v": must be unique`,
    ],
    [
      'a path out of the volume',
      { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: '../x' }] },
      { volumes: [{ name: 'v' }] },
      `${c}.volumeMounts[0].subPath: Invalid value: "../x": must not contain '..'`,
    ],
    [
      'mounts shared with the host by a container that is not privileged',
      { volumeMounts: [{ name: 'v', mountPath: '/v', mountPropagation: 'Bidirectional' }] },
      { volumes: [{ name: 'v' }] },
      `${c}.volumeMounts[0].mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
    ],
    [
      'read-only all the way down below what may be written to',
      { volumeMounts: [{ name: 'v', mountPath: '/v', recursiveReadOnly: 'Enabled' }] },
      { volumes: [{ name: 'v' }] },
      `${c}.volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when readOnly is true`,
    ],
    [
      'read-only all the way down, where mounts of the host appear',
      {
        volumeMounts: [
          {
            name: 'v',
            mountPath: '/v',
            readOnly: true,
            recursiveReadOnly: 'IfPossible',
            mountPropagation: 'HostToContainer',
          },
        ],
      },
      { volumes: [{ name: 'v' }] },
      `${c}.volumeMounts[0].recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified`,
    ],
    [
      'a request above its limit',
      { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } },
      {},
      `${c}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
    ],
    [
      'a negative limit',
      { resources: { limits: { cpu: '-1' }, requests: { cpu: '-1' } } },
      {},
      `${c}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
    ],
    [
      'an unknown resource',
      { resources: { requests: { gpu: '1' } } },
      {},
      `${c}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource`,
    ],
    [
      'half a device',
      { resources: { requests: { 'example.com/gpu': '0.5' } } },
      {},
      `${c}.resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer`,
    ],
    [
      'a variable without name',
      { env: [{ value: 'x' }] as never },
      {},
      `${c}.env[0].name: Required value`,
    ],
    [
      'a variable from nowhere',
      { env: [{ name: 'A', valueFrom: {} }] },
      {},
      `${c}.env[0].valueFrom: Invalid value: "": must specify one of`,
    ],
    [
      'a variable with value and source',
      { env: [{ name: 'A', value: 'x', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
      {},
      `${c}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
    ],
    [
      'a variable from an odd field',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }] },
      {},
      `${c}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.x"`,
    ],
    [
      'an empty envFrom',
      { envFrom: [{}] },
      {},
      `${c}.envFrom[0]: Invalid value: "": must specify one of`,
    ],
    [
      'a probe of nothing',
      { livenessProbe: {} },
      {},
      `${c}.livenessProbe: Required value: must specify`,
    ],
    [
      'a probe of two things',
      { livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } },
      {},
      `${c}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`,
    ],
    [
      'a liveness probe that must pass twice',
      { livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } },
      {},
      `${c}.livenessProbe.successThreshold: Invalid value: 2: must be 1`,
    ],
    [
      'a probe of a bad port',
      { readinessProbe: { tcpSocket: { port: 'NO' } } },
      {},
      `${c}.readinessProbe.tcpSocket.port: Invalid value: "NO": must contain only alphanumeric`,
    ],
    [
      'a readiness probe that ends the pod',
      { readinessProbe: { tcpSocket: { port: 1 }, terminationGracePeriodSeconds: 1 } },
      {},
      `${c}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for`,
    ],
    [
      'privilege without escalation',
      { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
      {},
      'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
    ],
    [
      'an init container with a probe',
      {},
      { initContainers: [{ name: 'i', image: 'x', livenessProbe: { tcpSocket: { port: 1 } } }] },
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers',
    ],
    [
      'an odd restart policy',
      {},
      { restartPolicy: 'Once' },
      'spec.restartPolicy: Unsupported value: "Once"',
    ],
    [
      'a deadline of 0',
      {},
      { activeDeadlineSeconds: 0 },
      'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
    ],
    [
      'a negative grace period',
      {},
      { terminationGracePeriodSeconds: -1 },
      'spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0',
    ],
    ['a bad host name', {}, { hostname: 'a.b' }, 'spec.hostname: Invalid value: "a.b"'],
    ['DNS from nowhere', {}, { dnsPolicy: 'None' }, 'spec.dnsConfig.nameservers: Required value'],
    ['a bad node label', {}, { nodeSelector: { a: '-' } }, 'spec.nodeSelector: Invalid value: "-"'],
    [
      'a volume without name',
      {},
      { volumes: [{}] as never },
      'spec.volumes[0].name: Required value',
    ],
    [
      'a volume twice',
      {},
      { volumes: [{ name: 'v' }, { name: 'v' }] },
      'spec.volumes[1].name: Duplicate',
    ],
    [
      'a volume of two sources',
      {},
      { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] },
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
    ],
    [
      'an ephemeral volume of no claim',
      {},
      { volumes: [{ name: 'v', ephemeral: {} }] },
      'spec.volumes[0].ephemeral.volumeClaimTemplate: Required value',
    ],
    [
      'an ephemeral volume that names its claim',
      {},
      { volumes: [ephemeral({ metadata: { name: 'mine', labels: { a: 'b' } } })] },
      'spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.name: Forbidden: cannot be set',
    ],
    [
      'an odd label of its claim',
      {},
      { volumes: [ephemeral({ metadata: { labels: { 'a b': '' } } })] },
      'spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.labels: Invalid value',
    ],
    [
      'an odd annotation of its claim',
      {},
      { volumes: [ephemeral({ metadata: { annotations: { 'a b': '' } } })] },
      'spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.annotations: Invalid value',
    ],
    [
      'an ephemeral volume without access modes',
      {},
      { volumes: [ephemeral({ spec: { ...claimSpec, accessModes: [] } })] },
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value',
    ],
    [
      'an ephemeral volume of no size',
      {},
      { volumes: [ephemeral({ spec: { ...claimSpec, resources: {} } })] },
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
    ],
    [
      'a ConfigMap volume without name',
      {},
      { volumes: [{ name: 'v', configMap: {} }] },
      'spec.volumes[0].configMap.name: Required value',
    ],
    [
      'a secret volume with a path outward',
      {},
      { volumes: [{ name: 'v', secret: { secretName: 's', items: [{ key: 'k', path: '/x' }] } }] },
      'spec.volumes[0].secret.items[0].path: Invalid value: "/x": must be a relative path',
    ],
    [
      'an odd file mode',
      {},
      { volumes: [{ name: 'v', secret: { secretName: 's', defaultMode: 0o1000 } }] },
      'spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777',
    ],
    [
      'a toleration of nothing',
      {},
      { tolerations: [{ operator: 'Equal' }] },
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty',
    ],
    [
      'seconds without NoExecute',
      {},
      { tolerations: [{ key: 'a', effect: 'NoSchedule', tolerationSeconds: 1 }] },
      'spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\'',
    ],
    [
      'affinity without terms',
      {},
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] },
          },
        },
      },
      'nodeSelectorTerms: Required value: must have at least one node selector term',
    ],
    [
      'spread over nothing',
      {},
      {
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      },
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
    ],
  ])('refuse %s', (...[, container, spec, text]) => {
    const texts = textsOf(aPod(container, spec));
    expect(texts.join('\n')).toContain(text);
  });
});

describe('scheduling gates', () => {
  it('are checked in time that is linear in them, and each stands once', () => {
    const gates = Array.from({ length: 100_000 }, (_, i) => ({ name: `gate${i}` }));
    const pod = aPod({}, { schedulingGates: [...gates, { name: 'gate7' }] });
    let texts: string[] = [];
    // Comparing each with all others takes longer on any host.
    expect(cpuMs(() => (texts = textsOf(pod)))).toBeLessThan(4000);
    expect(texts).toEqual(['spec.schedulingGates[100000].name: Duplicate value: "gate7"']);
  });
});

describe('resize policies', () => {
  it('are checked in time that is linear in them', () => {
    const resizePolicy = Array.from({ length: 60_000 }, (_, i) => ({
      resourceName: `r${i}`,
      restartPolicy: 'NotRequired',
    }));
    const pod = aPod({ resizePolicy: [...resizePolicy, ...resizePolicy.slice(0, 1)] });
    let texts: string[] = [];
    // Comparing each with all others takes longer on any host.
    expect(cpuMs(() => (texts = textsOf(pod)))).toBeLessThan(4000);
    expect(texts.at(-1)).toContain('Duplicate value: "r0"');
  });
});
