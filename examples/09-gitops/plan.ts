// What is to be done for a sync: what it answers for from now on, what has left the repository, what its status says.
// Invariant: pure. Nothing goes that the inventory does not have, nor while anything of the revision is not yet in place.
import type { KindRef, KubeObject } from 'pinnace/client';
import { withCondition } from 'pinnace/controllers';
import { type Entry, type GitSync, MAX_FAILURES } from './kind.ts';
import { inOrderOfGoing, SYNC_LABEL } from './manifests.ts';
import { SourceError } from './repository.ts';

type Status = NonNullable<GitSync['status']>;

/** On an object that is there already: the sync (NAMESPACE/NAME) that may take it over. */
export const ADOPT_ANNOTATION = 'gitops.example.com/adopt-by';

/** These take objects of others along when they go, and are left for people to delete. */
const LEFT_ALONE = ['Namespace', 'CustomResourceDefinition'];

/** An object of the repository that the server has a kind for. */
export interface Wanted {
  readonly ref: KindRef;
  /** As it is applied: in its namespace, with the sync's label. */
  readonly object: KubeObject;
  readonly entry: Entry;
}

/** Puts an object where it belongs: objects that name no namespace go to the sync's own. */
export function placed(sync: GitSync, ref: KindRef, object: KubeObject): Wanted {
  const { namespace: own, uid = '' } = sync.metadata;
  const { namespace: _, ...rest } = object.metadata;
  const namespace = ref.namespaced ? (object.metadata.namespace ?? own) : undefined;
  const labels = { ...rest.labels, [SYNC_LABEL]: uid };
  const at = namespace === undefined ? {} : { namespace };
  const { apiVersion, kind } = object;
  return {
    ref,
    object: { ...object, metadata: { ...rest, ...at, labels } },
    entry: { apiVersion, kind, ...at, name: rest.name ?? '' },
  };
}

/** What an object is whatever version it is written in: a move to a newer one is no end and no beginning. */
export function identityOf({ apiVersion, kind, namespace = '', name }: Entry): string {
  const slash = apiVersion.indexOf('/');
  return [slash < 0 ? '' : apiVersion.slice(0, slash), kind, namespace, name].join('/');
}

/** Throws SourceError where two manifests are of one object: they would be applied over each other for ever. */
export function checkUnique(wanted: readonly Wanted[]): void {
  const seen = new Set<string>();
  for (const { entry } of wanted) {
    const identity = identityOf(entry);
    if (seen.has(identity)) throw new SourceError(`${nameOf(entry)} is there twice; keep one`);
    seen.add(identity);
  }
}

/** The inventory before anything is applied: what was there, and all that is about to be. */
export function claimed(inventory: readonly Entry[], wanted: readonly Wanted[]): Entry[] {
  const now = wanted.map(({ entry }) => entry);
  const identities = new Set(now.map(identityOf));
  return [...now, ...inventory.filter((entry) => !identities.has(identityOf(entry)))];
}

/** What has left the repository and goes now, in that order. */
export function leaving(
  sync: GitSync,
  inventory: readonly Entry[],
  wanted: readonly Wanted[],
): Entry[] {
  if (!sync.spec.prune) return [];
  const stays = new Set(wanted.map(({ entry }) => identityOf(entry)));
  return inOrderOfGoing(inventory.filter((entry) => !stays.has(identityOf(entry)))).filter(
    ({ kind }) => !LEFT_ALONE.includes(kind),
  );
}

/** Whose an object is: `mine` may be changed and deleted, `free` there is none yet. */
export function ownership(
  sync: GitSync,
  live: KubeObject | undefined,
): 'mine' | 'free' | { readonly taken: string } {
  if (!live) return 'free';
  const { annotations = {}, labels = {}, name, namespace, uid } = { uid: '', ...live.metadata };
  const mark = labels[SYNC_LABEL];
  if (mark === sync.metadata.uid) return 'mine';
  const me = `${sync.metadata.namespace}/${sync.metadata.name}`;
  if (annotations[ADOPT_ANNOTATION] === me) return 'mine';
  const whose = mark === undefined ? 'was not made by a GitSync' : `is that of the GitSync ${mark}`;
  return {
    taken: `${live.kind} ${namespace ?? ''}/${name} is there (${uid}) and ${whose}; delete it, or annotate it ${ADOPT_ANNOTATION}=${me}`,
  };
}

/** What could not be put in place, by object. */
export type Failures = ReadonlyMap<string, string>;

/** How a sync went. */
export interface Outcome {
  readonly revision: string;
  readonly wanted: readonly Wanted[];
  /** What has left the repository and is still there. */
  readonly remaining: readonly Entry[];
  readonly failures: Failures;
  readonly corrected: number;
}

/** The status after a look that came to something. */
export function statusAfter(sync: GitSync, outcome: Outcome, now: string): Status {
  const { revision, wanted, remaining, failures, corrected } = outcome;
  const { generation = 0 } = sync.metadata;
  const before: Status = sync.status ?? {};
  const done = failures.size === 0;
  const told = [...failures].slice(0, MAX_FAILURES);
  return {
    ...before,
    ...(done && { observedGeneration: generation, revision }),
    objects: wanted.length,
    inventory: done
      ? [...wanted.map(({ entry }) => entry), ...remaining]
      : claimed(before.inventory ?? [], wanted),
    failures: told.map(([object, message]) => ({ object, message: message.slice(0, 1000) })),
    driftCorrected: (before.driftCorrected ?? 0) + corrected,
    conditions: readyConditions(
      sync,
      now,
      done
        ? ['True', 'Applied', `applied ${revision}`]
        : [
            'False',
            'ApplyFailed',
            `${failures.size} of ${wanted.length} objects of ${revision} cannot be applied; nothing is pruned until they can`,
          ],
    ),
  };
}

/** The conditions with what is to be said of Ready. */
export function readyConditions(
  sync: GitSync,
  now: string,
  [status, reason, message]: readonly ['True' | 'False', string, string],
): NonNullable<Status['conditions']> {
  const observedGeneration = sync.metadata.generation ?? 0;
  const ready = { type: 'Ready', status, reason, message, observedGeneration };
  return withCondition(sync.status?.conditions, ready, now);
}

/** For people: `Deployment shop/web`. */
export const nameOf = ({ kind, namespace, name }: Entry): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
