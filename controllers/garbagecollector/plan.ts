// What is to become of an object, given how its owners are. Pure.
// Invariant: an object goes only when every owner it names is known to be gone, or waits for it to go.
import type { KubeObject, OwnerReference } from '../../api/meta/object.ts';
import { FOREGROUND, ORPHAN } from './graph.ts';

/** How an owner is: there for good, gone, or waiting for its dependents; or it cannot be told. */
export type OwnerState = 'solid' | 'absent' | 'waiting';

/** What is to be done with the object. */
export type Verdict =
  | { readonly kind: 'keep' }
  /** References to owners that are gone come off; others hold the object. */
  | { readonly kind: 'drop-references'; readonly uids: readonly string[] }
  | { readonly kind: 'delete'; readonly policy: 'Orphan' | 'Background' | 'Foreground' };

/** Decides over an object that is not being deleted yet. */
export function verdictOn(
  object: KubeObject,
  owners: readonly { readonly owner: OwnerReference; readonly state: OwnerState }[],
  hasDependents: boolean,
): Verdict {
  if (owners.length === 0) return { kind: 'keep' };
  const leaving = owners.filter(({ state }) => state !== 'solid');
  if (leaving.length === 0) return { kind: 'keep' };
  if (leaving.length < owners.length)
    return { kind: 'drop-references', uids: leaving.map(({ owner }) => owner.uid) };
  const waiting = leaving.some(({ state }) => state === 'waiting');
  // What waits above waits for everything below, too.
  if (waiting && hasDependents) return { kind: 'delete', policy: 'Foreground' };
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(ORPHAN)) return { kind: 'delete', policy: 'Orphan' };
  if (finalizers.includes(FOREGROUND)) return { kind: 'delete', policy: 'Foreground' };
  return { kind: 'delete', policy: 'Background' };
}
