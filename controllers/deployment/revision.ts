// Revisions: how ReplicaSets remember which rollout they were, and what a new one looks like. Pure.
// Invariant: the set of the present template has the highest revision; going back to an old template gives its set
// the next one.
import type { Deployment, ReplicaSet } from '../../api/generated/types.ts';
import { Deployments } from '../../api/kinds.ts';
import { ownerReferenceFor } from '../framework/owner.ts';
import { TEMPLATE_HASH, templateHash } from './template-hash.ts';

/** A rollout's number, counted up from 1; on the deployment, the number of its present one. */
export const REVISION = 'deployment.kubernetes.io/revision';
/** The numbers that a set had before. */
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
/** How many pods the deployment wanted when it last scaled the set. */
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
/** How many it allowed, surge and all. */
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** Longest list of former revisions that is kept, in characters, as upstream. */
const MAX_HISTORY_LENGTH = 2000;

/** Annotations of the deployment that are not the set's: what we write ourselves, and kubectl's record of apply. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);

type Annotations = Record<string, string>;

/** The set's revision; 0 where it has none. */
export function revisionOf(object: Pick<ReplicaSet, 'metadata'>): number {
  const revision = Number(object.metadata.annotations?.[REVISION] ?? 0);
  return Number.isSafeInteger(revision) && revision > 0 ? revision : 0;
}

/** The revision that the present template's set is to have. */
export function nextRevision(old: readonly ReplicaSet[]): number {
  return 1 + old.reduce((most, set) => Math.max(most, revisionOf(set)), 0);
}

/** The annotations of a set of that revision; undefined where it has them already. */
export function revisionAnnotations(
  deployment: Deployment,
  set: ReplicaSet,
  revision: number,
): Annotations | undefined {
  const before = set.metadata.annotations ?? {};
  const next: Annotations = { ...before, ...copied(deployment) };
  const held = revisionOf(set);
  if (held < revision) {
    next[REVISION] = String(revision);
    const history = [before[REVISION_HISTORY], held > 0 ? String(held) : undefined];
    const text = history.filter(Boolean).join(',');
    if (held > 0 && text.length <= MAX_HISTORY_LENGTH) next[REVISION_HISTORY] = text;
  }
  return sameAnnotations(before, next) ? undefined : next;
}

/** The figures by which a later change of the deployment's size is known, and by which it is shared out. */
export function sizeAnnotations(desired: number, most: number): Annotations {
  return { [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(most) };
}

/** Does the set say that the deployment wants a number that it no longer wants? */
export function sizeChanged(deployment: Deployment, set: ReplicaSet): boolean {
  const noted = set.metadata.annotations?.[DESIRED_REPLICAS];
  return noted !== undefined && Number(noted) !== (deployment.spec?.replicas ?? 1);
}

/** What a new set is made from. */
export interface NewSet {
  readonly revision: number;
  readonly replicas: number;
  /** The most pods that the deployment may have. */
  readonly most: number;
}

/** A set of the deployment's present template. */
export function newReplicaSet(deployment: Deployment, plan: NewSet): ReplicaSet {
  const { metadata, spec, status } = deployment;
  const template = spec?.template ?? {};
  const hash = templateHash(template, status?.collisionCount);
  const marked = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
  const { matchLabels, matchExpressions } = spec?.selector ?? {};
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${metadata.name ?? ''}-${hash}`,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: marked,
      annotations: {
        ...copied(deployment),
        ...sizeAnnotations(spec?.replicas ?? 1, plan.most),
        [REVISION]: String(plan.revision),
      },
      ownerReferences: [ownerReferenceFor(deployment, Deployments)],
    },
    spec: {
      replicas: plan.replicas,
      minReadySeconds: spec?.minReadySeconds,
      selector: { matchLabels: { ...matchLabels, [TEMPLATE_HASH]: hash }, matchExpressions },
      template: { ...template, metadata: { ...template.metadata, labels: marked } },
    },
  };
}

function copied(deployment: Deployment): Annotations {
  const entries = Object.entries(deployment.metadata.annotations ?? {});
  return Object.fromEntries(entries.filter(([name]) => !NOT_COPIED.has(name)));
}

function sameAnnotations(a: Annotations, b: Annotations): boolean {
  return Object.keys({ ...a, ...b }).every((name) => a[name] === b[name]);
}
