// Which objects are an owner's: those it controls, with orphans that its selector matches taken in and those that
// it no longer matches let go.
// Invariant: an object has one controller at most; what another one controls is never touched. Whoever counts what it was
// answered counts all: a claim that could not be made throws.
import type { KindRef } from '../../api/kind-ref.ts';
import type { Selector } from '../../api/meta/labels.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { controllerOf } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { controlledBy, indexByController, ownerReferenceFor } from './owner.ts';

/** The name of the index that `indexForClaims` adds beside the one by controller. */
const ORPHANS = 'metadata.ownerReferences.orphans';

/** Gives the informer what claiming needs: indexes by controller and of orphans by namespace. */
export function indexForClaims<T extends KubeObject>(informer: Informer<T>): void {
  indexByController(informer);
  informer.addIndex(ORPHANS, (object) =>
    controllerOf(object) ? [] : [object.metadata.namespace ?? ''],
  );
}

/** Who claims what: objects of a kind that has strategic merge patches, as built-in kinds do and kinds of definitions do not. */
export interface Claim<O extends KubeObject, T extends KubeObject> {
  readonly owner: O;
  readonly selector: Selector;
  readonly owners: ResourceClient<O>;
  readonly things: ResourceClient<T>;
  /** Indexed by `indexForClaims`. */
  readonly informer: Informer<T>;
  /** Of orphans that match only those are taken in; all unless given. */
  readonly mayAdopt?: ((thing: T) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What claiming comes to, before anything is written. */
export interface ClaimPlan<T> {
  readonly keep: readonly T[];
  readonly adopt: readonly T[];
  readonly release: readonly T[];
}

/** Decides over candidates. An owner that is being deleted takes in nothing and lets nothing go. */
export function planClaims<T extends KubeObject>(
  {
    owner,
    selector,
    mayAdopt = () => true,
  }: Pick<Claim<KubeObject, T>, 'owner' | 'selector' | 'mayAdopt'>,
  candidates: readonly T[],
): ClaimPlan<T> {
  const plan = { keep: [] as T[], adopt: [] as T[], release: [] as T[] };
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    const matches = selector.matches(object.metadata.labels);
    if (controller && controller.uid !== owner.metadata.uid) continue;
    if (controller) {
      if (matches) plan.keep.push(object);
      else if (!leaving) plan.release.push(object);
    } else if (matches && !leaving && object.metadata.deletionTimestamp === undefined) {
      if (mayAdopt(object)) plan.adopt.push(object);
    }
  }
  return plan;
}

/** Adopts and releases as planned, and answers what is the owner's afterwards. Throws when a write fails. */
export async function claimAll<O extends KubeObject, T extends KubeObject>(
  claim: Claim<O, T>,
): Promise<T[]> {
  const { owner, informer } = claim;
  const candidates = [
    ...controlledBy(informer, owner),
    ...informer.byIndex(ORPHANS, owner.metadata.namespace ?? ''),
  ];
  const plan = planClaims(claim, candidates);
  for (const object of plan.release) await release(claim, object);
  const adopted: T[] = [];
  if (plan.adopt.length > 0 && (await ownerStands(claim))) {
    for (const object of plan.adopt) {
      const written = await adopt(claim, object);
      if (written) adopted.push(written);
    }
  }
  return [...plan.keep, ...adopted];
}

/** The cache may be behind: an owner that is going must not adopt. */
async function ownerStands<O extends KubeObject, T extends KubeObject>(
  claim: Claim<O, T>,
): Promise<boolean> {
  const { namespace, name = '', uid } = claim.owner.metadata;
  try {
    const live = await claim.owners.get({ namespace, name }, { signal: claim.signal });
    return live.metadata.uid === uid && live.metadata.deletionTimestamp === undefined;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function adopt<O extends KubeObject, T extends KubeObject>(
  claim: Claim<O, T>,
  object: T,
): Promise<T | undefined> {
  const reference = ownerReferenceFor(claim.owner, claim.owners.ref as unknown as KindRef);
  return writeOwner(claim, object, reference);
}

async function release<O extends KubeObject, T extends KubeObject>(
  claim: Claim<O, T>,
  object: T,
): Promise<void> {
  await writeOwner(claim, object, { $patch: 'delete', uid: claim.owner.metadata.uid });
}

/**
 * Patches our reference alone, whatever else of the object changes meanwhile. Undefined where the object is gone: an event
 * will say so. Another object of its name is a conflict.
 */
async function writeOwner<O extends KubeObject, T extends KubeObject>(
  claim: Claim<O, T>,
  object: T,
  reference: object,
): Promise<T | undefined> {
  const { namespace, name = '', uid } = object.metadata;
  const body = { metadata: { uid, ownerReferences: [reference] } };
  try {
    return await claim.things.patch(
      { namespace, name },
      { type: 'strategic', body },
      { signal: claim.signal },
    );
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
