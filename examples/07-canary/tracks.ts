// The two Deployments of a canary, the Service in front of both, and what is known of them.
// Invariant: pure. Their selectors never change, and tell the two tracks apart; the Service's takes both.
import { createHash } from 'node:crypto';
import type { Deployment, Service } from 'pinnace/client';
import { ownerReferenceFor } from 'pinnace/controllers';
import { Canaries, type Canary, type CanaryStatus } from './kind.ts';

/** The label that all parts of a canary have. */
export const CANARY_LABEL = 'rollout.example.com/canary';
const TRACK_LABEL = 'rollout.example.com/track';
/** The label of a pod's version. */
const REVISION_LABEL = 'rollout.example.com/revision';

/** Which of the two. */
export type TrackName = 'stable' | 'canary';
/** A version: what its pods are made from, and that in short. */
export type Version = CanaryStatus['stable'];

/** What a Deployment comes to. */
export interface Track {
  readonly revision: string;
  /** Pods that are asked for. */
  readonly replicas: number;
  /** Ready pods of that revision; 0 while the Deployment has not been looked at since it changed. */
  readonly ready: number;
  /** Does it have its pods of that revision, and no others? */
  readonly settled: boolean;
}

/** The version that is asked for. */
export function versionOf({ spec: { attempt, container } }: Canary): Version {
  const text = JSON.stringify([attempt, sorted(container)]);
  return { revision: createHash('sha256').update(text).digest('hex').slice(0, 10), container };
}

/** With fields in the order of their names: equal values have equal texts. */
function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The name of a track's Deployment. */
export const trackName = ({ metadata }: Canary, track: TrackName): string =>
  `${metadata.name}-${track}`;

/** Selects the pods of one version of a canary. */
export const selectorOf = ({ metadata }: Canary, revision: string): string =>
  `${CANARY_LABEL}=${metadata.name},${REVISION_LABEL}=${revision}`;

/** The version of a Deployment's pods. */
export const revisionOf = ({ spec }: Deployment): string =>
  spec?.template.metadata?.labels?.[REVISION_LABEL] ?? '';

/** What a Deployment says of its track. */
export function trackOf(deployment: Deployment): Track {
  const { metadata, spec, status = {} } = deployment;
  const wanted = spec?.replicas ?? 1;
  const { observedGeneration, readyReplicas = 0, replicas = 0, updatedReplicas = 0 } = status;
  // Of pods of two versions nobody knows which ones are ready.
  const isOne = observedGeneration === metadata.generation && replicas === updatedReplicas;
  return {
    revision: revisionOf(deployment),
    replicas: wanted,
    ready: isOne ? readyReplicas : 0,
    settled: isOne && replicas === wanted && readyReplicas === wanted,
  };
}

/** The Deployment of a track: as it is but for version and scale, where it is there. */
export function deploymentOf(
  canary: Canary,
  track: TrackName,
  wanted: {
    readonly version: Version;
    readonly replicas: number;
    readonly from?: Deployment | undefined;
  },
): Deployment {
  const { name = '', namespace = 'default' } = canary.metadata;
  const { from, replicas, version } = wanted;
  const labels = { [CANARY_LABEL]: name, [TRACK_LABEL]: track };
  const { cpu, port, ...container } = version.container;
  return {
    ...from,
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: from?.metadata ?? {
      name: trackName(canary, track),
      namespace,
      labels,
      ownerReferences: [ownerReferenceFor(canary, Canaries)],
    },
    spec: {
      ...from?.spec,
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels, [REVISION_LABEL]: version.revision } },
        spec: {
          containers: [
            {
              ...container,
              name: 'main',
              ports: [{ containerPort: port }],
              readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
              ...(cpu !== undefined && { resources: { requests: { cpu: String(cpu) } } }),
            },
          ],
        },
      },
    },
  } as Deployment;
}

/** Leads to the ready pods of both tracks alike: how many there are of each is the weight. */
export function serviceOf(canary: Canary): Service {
  const { name = '', namespace = 'default' } = canary.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: { [CANARY_LABEL]: name },
      ownerReferences: [ownerReferenceFor(canary, Canaries)],
    },
    spec: {
      selector: { [CANARY_LABEL]: name },
      ports: [{ port: canary.spec.container.port }],
    },
  };
}
