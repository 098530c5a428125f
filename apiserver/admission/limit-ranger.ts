// Pods and claims keep to the LimitRanges of their namespace, and pods get their defaults (upstream's LimitRanger).
// Pods are looked at when they are made or resized, claims whenever they change.
import {
  applyLimitRangeDefaults,
  claimBeyondLimits,
  podBeyondLimits,
} from '../../api/core/limit-range-enforcement.ts';
import type { LimitRange, PersistentVolumeClaim, Pod } from '../../api/generated/types.ts';
import { LimitRanges, PersistentVolumeClaims, Pods } from '../../api/kinds.ts';
import { forbidden } from '../../api/status.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';
import { knownLists } from './known-lists.ts';

/** The plugin. */
export function limitRanger(store: ObjectStore): AdmissionPlugin {
  const rangesIn = knownLists<LimitRange>(store, LimitRanges);
  return {
    name: 'LimitRanger',
    mutate({ operation, definition, subresource, namespace, object }) {
      if (operation !== 'create' || definition.ref !== Pods || subresource) return;
      applyLimitRangeDefaults(object as unknown as Pod, rangesIn(namespace));
    },
    validate(request) {
      const beyond = violations(request, rangesIn);
      if (beyond.length === 0) return;
      const why = beyond.length === 1 ? (beyond[0] ?? '') : `[${beyond.join(', ')}]`;
      throw forbidden(request.definition.ref, request.name, why);
    },
  };
}

function violations(
  { operation, definition, subresource, namespace, object }: AdmissionRequest,
  rangesIn: (namespace: string) => readonly LimitRange[],
): string[] {
  const resized = definition.ref === Pods && subresource === 'resize';
  if ((subresource && !resized) || operation === 'delete') return [];
  if (definition.ref === Pods && (operation === 'create' || resized)) {
    return podBeyondLimits(object as unknown as Pod, rangesIn(namespace));
  }
  const leaving = object.metadata.deletionTimestamp !== undefined;
  if (definition.ref !== PersistentVolumeClaims || leaving) return [];
  return claimBeyondLimits(object as unknown as PersistentVolumeClaim, rangesIn(namespace));
}
