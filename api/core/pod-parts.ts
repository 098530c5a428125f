// What the ways of writing a part of a pod's spec have in common.
import type { Pod } from '../generated/types.ts';

/** Puts the stored metadata back: a write of a part changes no labels and the like. Owners of fields are written down later. */
export function keepOldMeta(pod: Pod, old: Pod): void {
  const { managedFields: _, ...metadata } = old.metadata;
  pod.metadata = structuredClone(metadata);
}
