// Pods: what is filled in where the writer said nothing.
import { describe, expect, it } from 'vitest';
import { aPod, defaulted } from '../../test/support/written-pod.ts';
import type { PodSpec } from '../generated/types.ts';
import { pullPolicyOf } from './pod-template-defaults.ts';
import { podDefinition } from './pod.ts';

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
          {
            name: 'own',
            ephemeral: {
              volumeClaimTemplate: { spec: { resources: { requests: { storage: '1024Mi' } } } },
            },
          },
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
        ephemeral: {
          volumeClaimTemplate: {
            spec: { volumeMode: 'Filesystem', resources: { requests: { storage: '1Gi' } } },
          },
        },
      },
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
