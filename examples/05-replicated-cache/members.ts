// What a cache is made of: a Service without an address of its own, and for each member a pod and a volume claim.
// Invariant: pure. Names follow from the cache's name and the member's number, so that no member is ever there twice.
import { createHash } from 'node:crypto';
import type { PersistentVolumeClaim, Pod, Service } from 'pinnace/client';
import { isPodReady, isPodTerminal, ownerReferenceFor } from 'pinnace/controllers';
import { type ReplicatedCache, ReplicatedCaches } from './kind.ts';

/** The label that all parts of a cache have. */
export const CACHE_LABEL = 'cache.example.com/name';
const REVISION_LABEL = 'cache.example.com/revision';
/** The generation of the cache that wanted a member of this claim last. */
export const WANTED_ANNOTATION = 'cache.example.com/wanted-at-generation';

/** A member that is there. */
export interface Member {
  readonly pod: Pod;
  readonly number: number;
  readonly revision: string;
  readonly ready: boolean;
  /** Is it being deleted? */
  readonly ending: boolean;
  /** It has ended by itself, and will not start again: evicted, or lost with its node. */
  readonly over: boolean;
}

/** A volume claim that is there. */
export interface Claim {
  readonly claim: PersistentVolumeClaim;
  readonly number: number;
  readonly ending: boolean;
}

export const memberName = ({ metadata }: ReplicatedCache, number: number): string =>
  `${metadata.name}-${number}`;
export const claimName = (cache: ReplicatedCache, number: number): string =>
  `data-${memberName(cache, number)}`;
export const selectorOf = ({ metadata }: ReplicatedCache): string =>
  `${CACHE_LABEL}=${metadata.name}`;

/** What members are made from, in short: another one for everything that needs a new pod. */
export function revisionOf({ spec: { image, memory } }: ReplicatedCache): string {
  return createHash('sha256')
    .update(JSON.stringify([image, String(memory)]))
    .digest('hex')
    .slice(0, 10);
}

const numberOf = (name = ''): number => Number(name.slice(name.lastIndexOf('-') + 1));

/** The member that a pod is. */
export function memberOf(pod: Pod): Member {
  const { metadata } = pod;
  return {
    pod,
    number: numberOf(metadata.name),
    revision: metadata.labels?.[REVISION_LABEL] ?? '',
    ready: isPodReady(pod),
    ending: metadata.deletionTimestamp !== undefined,
    over: isPodTerminal(pod),
  };
}

/** The claim that an object is. */
export const claimOf = (claim: PersistentVolumeClaim): Claim => ({
  claim,
  number: numberOf(claim.metadata.name),
  ending: claim.metadata.deletionTimestamp !== undefined,
});

function metadataOf(cache: ReplicatedCache, name: string) {
  const { namespace = 'default', name: cacheName = '' } = cache.metadata;
  return { name, namespace, labels: { [CACHE_LABEL]: cacheName } };
}

/** Gives members their names in DNS: `cache-0.cache.NAMESPACE.svc`. */
export function serviceOf(cache: ReplicatedCache): Service {
  const { name = '' } = cache.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...metadataOf(cache, name),
      ownerReferences: [ownerReferenceFor(cache, ReplicatedCaches)],
    },
    spec: {
      clusterIP: 'None',
      selector: { [CACHE_LABEL]: name },
      // Members find each other before they are ready.
      publishNotReadyAddresses: true,
      ports: [{ name: 'cache', port: cache.spec.port }],
    },
  };
}

/** The claim of a member. Where claims are kept, the cache does not own it. */
export function claimFor(cache: ReplicatedCache, number: number): PersistentVolumeClaim {
  const { className, size, whenUnused } = cache.spec.storage;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...metadataOf(cache, claimName(cache, number)),
      ...(whenUnused === 'Delete' && {
        ownerReferences: [ownerReferenceFor(cache, ReplicatedCaches)],
      }),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: String(size) } },
      ...(className !== undefined && { storageClassName: className }),
    },
  };
}

/** The pod of a member. */
export function podFor(cache: ReplicatedCache, number: number): Pod {
  const { image, memory, port } = cache.spec;
  const { labels, ...metadata } = metadataOf(cache, memberName(cache, number));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      labels: { ...labels, [REVISION_LABEL]: revisionOf(cache) },
      ownerReferences: [ownerReferenceFor(cache, ReplicatedCaches)],
    },
    spec: {
      hostname: metadata.name,
      ...(cache.metadata.name !== undefined && { subdomain: cache.metadata.name }),
      containers: [
        {
          name: 'cache',
          image,
          ports: [{ containerPort: port }],
          resources: { requests: { memory: String(memory) } },
          readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claimName(cache, number) } }],
    },
  } as Pod;
}
