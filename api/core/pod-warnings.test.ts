// What is said of pods, templates and volumes that are taken and yet can hardly be meant. Each case: a part of a pod, the words.
import { describe, expect, it } from 'vitest';
import { deploymentDefinition } from '../apps/deployment.ts';
import { cronJobDefinition } from '../batch/cron-job.ts';
import type { Container, PodSpec } from '../generated/types.ts';
import type { KubeObject } from '../meta/object.ts';
import { ingressDefinition } from '../networking/ingress.ts';
import { persistentVolumeClaimDefinition } from './persistent-volume-claim.ts';
import { persistentVolumeDefinition } from './persistent-volume.ts';
import { podDefinition } from './pod.ts';
import { serviceAccountDefinition } from './service-account.ts';
import { serviceDefinition } from './service.ts';

const pod = (spec: Partial<PodSpec>, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', ...metadata },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const said = (spec: Partial<PodSpec>, metadata: object = {}) =>
  podDefinition.warnings?.(pod(spec, metadata));
const containers = (...parts: readonly Partial<Container>[]) => ({
  containers: parts.map((part, i) => ({ name: `c${i}`, image: 'i', ...part })),
});

describe('A pod', () => {
  it('that is sound is taken without a word', () => {
    const env = [
      { name: 'A', value: 'a' },
      { name: 'A', value: '$(A)b' },
    ];
    const sound = containers(
      { env, resources: { requests: { memory: '1Mi', cpu: '100m' } } },
      { ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }] },
    );
    expect(said(sound)).toEqual([]);
  });

  it.each<[string, Partial<PodSpec>, string]>([
    [
      'an old node label in its selector',
      { nodeSelector: { 'beta.kubernetes.io/arch': 'amd64' } },
      'spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use "kubernetes.io/arch" instead',
    ],
    [
      'an old node label in its affinity',
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                {
                  matchExpressions: [
                    { key: 'failure-domain.beta.kubernetes.io/zone', operator: 'Exists' },
                  ],
                },
              ],
            },
          },
        },
      },
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    ],
    [
      'an affinity to no pods',
      {
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: { topologyKey: 'k' } },
            ],
          },
        },
      },
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod',
    ],
    [
      'a spread of no pods',
      {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'k', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      },
      'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
    ],
    [
      'a driver that went',
      { volumes: [{ name: 'v', gitRepo: { repository: 'r' } }] },
      'spec.volumes[0].gitRepo: deprecated in v1.11',
    ],
    [
      'an address twice',
      { hostAliases: [{ ip: '10.0.0.1' }, { ip: '10.0.0.1' }] },
      'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
    ],
    [
      'a pull secret twice',
      { imagePullSecrets: [{ name: 's' }, { name: 's' }] },
      'spec.imagePullSecrets[1].name: duplicate name "s"',
    ],
    [
      'a pull secret without a name',
      { imagePullSecrets: [{}] },
      'spec.imagePullSecrets[0].name: invalid empty name ""',
    ],
    [
      'part of a byte',
      containers({ resources: { requests: { memory: '100m' } } }),
      'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer',
    ],
    [
      'a hidden variable',
      containers({
        env: [
          { name: 'A', value: 'a' },
          { name: 'A', value: 'b' },
        ],
      }),
      'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    ],
    [
      'a port twice',
      containers({ ports: [{ containerPort: 80 }] }, { ports: [{ containerPort: 80 }] }),
      'spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]',
    ],
    [
      'a port that overlaps',
      containers({ ports: [{ containerPort: 80 }, { containerPort: 80, hostPort: 8080 }] }),
      'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
    ],
    [
      'less than no grace',
      { terminationGracePeriodSeconds: -1 },
      'spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
    ],
  ])('is warned of %s', (_, spec, words) => expect(said(spec)).toEqual([words]));

  it('is warned of annotations that became fields, unless the field is used', () => {
    const annotations = {
      'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
      'container.apparmor.security.beta.kubernetes.io/c': 'unconfined',
    };
    expect(said({}, { annotations })).toEqual([
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead',
    ]);
    const type = 'Unconfined';
    const securityContext = { seccompProfile: { type }, appArmorProfile: { type } };
    expect(said({ securityContext }, { annotations })).toEqual([]);
  });

  it('is warned of a name that is no host name, and of nothing once it is there', () => {
    const odd = pod({}, { name: 'a.b' });
    expect(podDefinition.warnings?.(odd)).toEqual([
      expect.stringMatching(/^metadata\.name: this is used in the Pod's hostname, /),
    ]);
    expect(podDefinition.warnings?.(odd, odd)).toEqual([]);
  });
});

describe('Others', () => {
  const metadata = { name: 'x' };
  const template = { spec: { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } } };
  const old = 'deprecated since v1.14; use "kubernetes.io/os" instead';
  const annotated = (key: string) => ({ metadata: { name: 'x', annotations: { [key]: 'y' } } });

  it.each<[string, { warnings?(object: KubeObject): string[] }, object, string]>([
    [
      'a Deployment of its template',
      deploymentDefinition as never,
      { metadata, spec: { template } },
      `spec.template.spec.nodeSelector[beta.kubernetes.io/os]: ${old}`,
    ],
    [
      'a CronJob of its template',
      cronJobDefinition as never,
      { metadata, spec: { jobTemplate: { spec: { template } } } },
      `spec.jobTemplate.spec.template.spec.nodeSelector[beta.kubernetes.io/os]: ${old}`,
    ],
    [
      'a volume of its annotation',
      persistentVolumeDefinition as never,
      annotated('volume.beta.kubernetes.io/storage-class'),
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
    ],
    [
      'a volume of its driver',
      persistentVolumeDefinition as never,
      { metadata, spec: { rbd: {} } },
      'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
    ],
    [
      'a claim of part of a byte',
      persistentVolumeClaimDefinition as never,
      { metadata, spec: { resources: { requests: { storage: '500m' } } } },
      'spec.resources.requests[storage]: fractional byte value "500m" is invalid, must be an integer',
    ],
    [
      'an Ingress of its annotation',
      ingressDefinition as never,
      annotated('kubernetes.io/ingress.class'),
      `annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`,
    ],
    [
      'a headless Service of affinity',
      serviceDefinition as never,
      { metadata, spec: { clusterIP: 'None', sessionAffinity: 'ClientIP' } },
      'spec.SessionAffinity is ignored for headless services',
    ],
    [
      'a ServiceAccount of its annotation',
      serviceAccountDefinition as never,
      annotated('kubernetes.io/enforce-mountable-secrets'),
      'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
    ],
  ])('are warned: %s', (...each) => {
    const [, definition, object, words] = each;
    expect(definition.warnings?.(object as KubeObject)).toEqual([words]);
  });
});
