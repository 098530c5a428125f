// Pods: what is filled in, what is refused, and what may still change.
import { describe, expect, it } from 'vitest';
import type { FieldError } from '../field-error.ts';
import type { Container, Pod, PodSpec } from '../generated/types.ts';
import { podDefinition } from './pod.ts';
import { pullPolicyOf } from './pod-template-defaults.ts';

/** A container's written form; what a test leaves out on purpose is left out. */
type Written = { [Field in keyof Container]?: Container[Field] | undefined };

function aPod(container: Written = {}, spec: Partial<PodSpec> = {}): Pod {
  const containers = [{ name: 'app', image: 'web:1', ...container } as Container];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers, ...spec },
  };
}

function defaulted(pod: Pod): Pod {
  const copy = structuredClone(pod);
  podDefinition.defaults?.(copy);
  return copy;
}

const errorsOf = (pod: Pod, old?: Pod): FieldError[] =>
  podDefinition.validate?.(defaulted(pod), old && defaulted(old)) ?? [];
const textsOf = (pod: Pod, old?: Pod): string[] =>
  errorsOf(pod, old).map(({ field, message }) => `${field}: ${message}`);

describe('defaults of a pod', () => {
  it('are those of the documentation', () => {
    expect(defaulted(aPod()).spec).toEqual({
      containers: [
        {
          name: 'app',
          image: 'web:1',
          imagePullPolicy: 'IfNotPresent',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
  });

  it('leave what the writer said', () => {
    const spec: Partial<PodSpec> = {
      restartPolicy: 'Never',
      dnsPolicy: 'Default',
      terminationGracePeriodSeconds: 0,
      enableServiceLinks: false,
      schedulerName: 'mine',
    };
    expect(defaulted(aPod({ imagePullPolicy: 'Never' }, spec)).spec).toMatchObject({
      ...spec,
      containers: [{ imagePullPolicy: 'Never' }],
    });
  });

  it('change nothing when run again', () => {
    const pod = aPod(
      {
        livenessProbe: { httpGet: { port: 80 } },
        resources: { limits: { cpu: '0.5', memory: '1024Mi' } },
        env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
        ports: [{ containerPort: 80 }],
      },
      { volumes: [{ name: 'v' }, { name: 's', secret: { secretName: 'x' } }], hostNetwork: true },
    );
    const once = defaulted(pod);
    expect(defaulted(once)).toEqual(once);
  });

  it.each([
    ['web', 'Always'],
    ['web:latest', 'Always'],
    ['web:1', 'IfNotPresent'],
    ['host:5000/web', 'Always'],
    ['host:5000/web:1', 'IfNotPresent'],
    ['web@sha256:abc', 'IfNotPresent'],
    ['web:latest@sha256:abc', 'IfNotPresent'],
  ])('pull %s %s', (image, policy) => {
    expect(pullPolicyOf(image)).toBe(policy);
  });

  it('fill in when images of volumes are pulled', () => {
    const images = [{ reference: 'models:1' }, { reference: 'models', pullPolicy: 'Never' }, {}];
    const volumes = images.map((image, i) => ({ name: `v${i}`, image }));
    expect(
      defaulted(aPod({}, { volumes })).spec?.volumes?.map(({ image }) => image?.pullPolicy),
    ).toEqual(['IfNotPresent', 'Never', 'Always']);
  });

  it('fill in probes', () => {
    const pod = aPod({
      livenessProbe: { httpGet: { port: 80 } },
      readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 },
    });
    const timings = {
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    };
    expect(defaulted(pod).spec?.containers[0]).toMatchObject({
      livenessProbe: { ...timings, httpGet: { port: 80, path: '/', scheme: 'HTTP' } },
      readinessProbe: { ...timings, periodSeconds: 1, tcpSocket: { port: 80 } },
    });
  });

  it('request what is limited, in canonical form', () => {
    const resources = { limits: { cpu: '0.5', memory: '1024Mi' }, requests: { memory: '512Mi' } };
    expect(defaulted(aPod({ resources })).spec?.containers[0]?.resources).toEqual({
      limits: { cpu: '500m', memory: '1Gi' },
      requests: { cpu: '500m', memory: '512Mi' },
    });
  });

  it('fill in volumes, environment and ports', () => {
    const pod = aPod(
      {
        ports: [{ containerPort: 80 }],
        env: [
          { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        ],
      },
      {
        hostNetwork: true,
        volumes: [
          { name: 'plain' },
          { name: 'config', configMap: { name: 'x' } },
          { name: 'secret', secret: { secretName: 'x', defaultMode: 0o400 } },
          { name: 'host', hostPath: { path: '/x' } },
          { name: 'all', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        ],
      },
    );
    const { containers, volumes } = defaulted(pod).spec ?? {};
    expect(containers?.[0]?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
    expect(containers?.[0]?.env?.map(({ valueFrom }) => valueFrom)).toEqual([
      { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
      { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } },
    ]);
    expect(volumes).toMatchObject([
      { emptyDir: {} },
      { configMap: { defaultMode: 420 } },
      { secret: { defaultMode: 0o400 } },
      { hostPath: { type: '' } },
      {
        projected: {
          defaultMode: 420,
          sources: [{ serviceAccountToken: { expirationSeconds: 3600 } }],
        },
      },
    ]);
  });

  it('show the service account under both names', () => {
    expect(defaulted(aPod({}, { serviceAccount: 'me' })).spec).toMatchObject({
      serviceAccount: 'me',
      serviceAccountName: 'me',
    });
  });

  it('make a new pod pending, of a class, with a priority', () => {
    const pod = defaulted(aPod());
    podDefinition.prepareForCreate?.(pod);
    expect(pod.status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
    expect(pod.spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
  });

  it('say of one with scheduling gates that it is not scheduled for their sake', () => {
    const pod = defaulted(aPod({}, { schedulingGates: [{ name: 'example.com/wait' }] }));
    podDefinition.prepareForCreate?.(pod);
    expect(pod.status?.conditions).toEqual([
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ]);
  });
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
        volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Gi' } }],
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

describe('changes of a pod', () => {
  const old = aPod(
    { env: [{ name: 'A', value: '1' }] },
    { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] },
  );
  const changed = (change: (spec: PodSpec) => void): Pod => {
    const pod = structuredClone(old);
    if (pod.spec) change(pod.spec);
    return pod;
  };
  const first = (spec: PodSpec): Container => spec.containers[0] as Container;

  it.each<[string, (spec: PodSpec) => void]>([
    ['nothing', () => {}],
    ['an image', (spec) => (first(spec).image = 'web:2')],
    ['a first deadline', (spec) => (spec.activeDeadlineSeconds = 10)],
    ['more tolerations', (spec) => spec.tolerations?.push({ operator: 'Exists' })],
    [
      "a toleration's seconds",
      (spec) => Object.assign(spec.tolerations?.[0] ?? {}, { tolerationSeconds: 9 }),
    ],
    ['an empty list for none', (spec) => (spec.imagePullSecrets = [])],
  ])('may be %s', (_what, change) => {
    expect(textsOf(changed(change), old)).toEqual([]);
  });

  it.each<[string, (spec: PodSpec) => void, string]>([
    [
      'a variable',
      (spec) => (first(spec).env = []),
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`',
    ],
    ['its node', (spec) => (spec.nodeName = 'n'), 'spec.nodeName'],
    [
      'its containers',
      (spec) => spec.containers.push({ name: 'b', image: 'x' }),
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ],
    ['an image to none', (spec) => (first(spec).image = ''), 'spec.containers[0].image: Required'],
    [
      'a toleration taken away',
      (spec) => (spec.tolerations = []),
      'spec.tolerations: Forbidden: existing toleration can not be modified',
    ],
    [
      'a gate put up',
      (spec) => (spec.schedulingGates = [{ name: 'a/b' }]),
      'spec.schedulingGates: Forbidden: only deletion is allowed',
    ],
  ])('may not be %s', (...[, change, text]) => {
    expect(textsOf(changed(change), old).join('\n')).toContain(text);
  });

  it('may bring a deadline nearer, not further, nor lift it', () => {
    const before = aPod({}, { activeDeadlineSeconds: 10 });
    expect(textsOf(aPod({}, { activeDeadlineSeconds: 5 }), before)).toEqual([]);
    expect(textsOf(aPod({}, { activeDeadlineSeconds: 11 }), before)).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value',
    ]);
    expect(textsOf(aPod(), before)).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
    ]);
  });

  it('may lift gates and narrow the nodes meanwhile', () => {
    const before = aPod({}, { schedulingGates: [{ name: 'a/b' }], nodeSelector: { a: '1' } });
    expect(textsOf(aPod({}, { nodeSelector: { a: '1', b: '2' } }), before)).toEqual([]);
    expect(textsOf(aPod({}, { nodeSelector: { a: '2' } }), before)).toHaveLength(1);
  });
});

describe('status of a pod', () => {
  it('has valid addresses and keeps its class', () => {
    const old = { ...aPod(), status: { qosClass: 'Burstable' } };
    const pod = { ...aPod(), status: { qosClass: 'Guaranteed', podIPs: [{ ip: 'x' }] } };
    expect(podDefinition.validateStatus?.(pod, old).map(({ field }) => field)).toEqual([
      'status.podIPs[0]',
      'status.qosClass',
    ]);
  });
});

describe('scheduling gates', () => {
  it('are checked in time that is linear in them, and each stands once', () => {
    const gates = Array.from({ length: 100_000 }, (_, i) => ({ name: `gate${i}` }));
    const begun = performance.now();
    const texts = textsOf(aPod({}, { schedulingGates: [...gates, { name: 'gate7' }] }));
    // Comparing each with all others takes longer on any host.
    expect(performance.now() - begun).toBeLessThan(4000);
    expect(texts).toEqual(['spec.schedulingGates[100000].name: Duplicate value: "gate7"']);
  });
});

describe('resize policies', () => {
  it('are checked in time that is linear in them', () => {
    const resizePolicy = Array.from({ length: 60_000 }, (_, i) => ({
      resourceName: `r${i}`,
      restartPolicy: 'NotRequired',
    }));
    const begun = performance.now();
    const texts = textsOf(aPod({ resizePolicy: [...resizePolicy, ...resizePolicy.slice(0, 1)] }));
    // Comparing each with all others takes longer on any host.
    expect(performance.now() - begun).toBeLessThan(4000);
    expect(texts.at(-1)).toContain('Duplicate value: "r0"');
  });
});
