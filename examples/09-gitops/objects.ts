// The objects of a sync on the server: applied, and deleted when they have left the repository.
// Invariant: nothing is changed or deleted that is not the sync's own, or is another object by now than the one that was looked at.
import {
  isConflict,
  isNotFound,
  type KubeObject,
  type ResourceClient,
  StatusError,
} from 'pinnace/client';
import { type BuilderContext, covers } from 'pinnace/controllers';
import type { Entry, GitSync } from './kind.ts';
import type { KindFinder } from './kind-finder.ts';
import { nameOf, ownership, type Wanted } from './plan.ts';

/** The owner of the fields that manifests give. */
const MANAGER = 'gitops';

type Context = BuilderContext<GitSync>;

/** How one object was put in place. */
export type Applied = 'as it was' | 'changed' | { readonly failed: string };

/** Puts an object in place. What `cached`, where it is to be trusted, shows to be as it should costs no request. */
export async function applyOne(
  sync: GitSync,
  { ref, object, entry, cached }: Wanted & { readonly cached: KubeObject | undefined },
  { client, signal }: Context,
): Promise<Applied> {
  if (covers(cached, object)) return 'as it was';
  const resource = client.resource(ref);
  const apply = (body: object, force: boolean) =>
    resource.patch(entry, { type: 'apply', body, force }, { fieldManager: MANAGER, signal });
  try {
    const live = await find(resource, entry, signal);
    const whose = ownership(sync, live);
    if (typeof whose === 'object') return { failed: whose.taken };
    if (!live) return await make({ object, entry }, apply);
    // With its uid the apply is about this object, never about another that has come in its place.
    const { uid, resourceVersion } = live.metadata;
    const now = await apply({ ...object, metadata: { ...object.metadata, uid } }, true);
    return resourceVersion === now.metadata.resourceVersion ? 'as it was' : 'changed';
  } catch (error) {
    // What the server says of this object keeps no other from its place. What changed in between is looked at anew.
    if (!(error instanceof StatusError) || isConflict(error)) throw error;
    return { failed: error.message };
  }
}

/**
 * Makes an object that there was none of. Where somebody makes it at the same moment, it is theirs: without force, fields of theirs are a
 * Conflict; where all are alike, what was laid over them is taken back.
 */
async function make(
  { object, entry }: Pick<Wanted, 'object' | 'entry'>,
  apply: (body: object, force: boolean) => Promise<KubeObject>,
): Promise<Applied> {
  const { metadata } = await apply(object, false);
  const managers = (metadata.managedFields ?? []) as { manager?: string }[];
  if (managers.every(({ manager }) => manager === MANAGER)) return 'changed';
  const { apiVersion, kind, ...at } = { ...entry, uid: metadata.uid };
  await apply({ apiVersion, kind, metadata: at }, false);
  return { failed: `${nameOf(entry)} was made by somebody else at the same moment` };
}

/** Deletes what has left the repository. Answers whether it is still there. */
export async function removeOne(
  sync: GitSync,
  entry: Entry,
  { client, kinds, signal }: Context & { readonly kinds: KindFinder },
): Promise<boolean> {
  const ref = await kinds.find(entry, signal);
  if (!ref) return false;
  const resource = client.resource(ref);
  const live = await find(resource, entry, signal);
  if (!live || ownership(sync, live) !== 'mine') return false;
  const { uid = '', resourceVersion = '', deletionTimestamp } = live.metadata;
  if (deletionTimestamp !== undefined) return true;
  // The revision too: it may be given to somebody else meanwhile.
  const preconditions = { uid, resourceVersion };
  await resource
    .delete(entry, { preconditions, propagationPolicy: 'Background', signal })
    .catch(unlessGone);
  return true;
}

function find(
  resource: ResourceClient<KubeObject>,
  { namespace, name }: Entry,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  return resource.get({ namespace, name }, { signal }).catch(unlessGone);
}

function unlessGone(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
