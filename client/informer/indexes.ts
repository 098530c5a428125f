// The indexes that controllers ask for most, as functions for `addIndex`.
// Invariant: each costs the same whatever the size of the cache, and answers nothing for an object that lacks the field.
import { controllerOf } from '../../api/meta/object.ts';
import type { KubeObject } from '../../api/meta/object.ts';

/** By the uid of the owner that manages the object. */
export function controllerUid(object: KubeObject): readonly string[] {
  const owner = controllerOf(object);
  return owner ? [owner.uid] : [];
}

/** By the uids of all owners. */
export function ownerUids({ metadata }: KubeObject): readonly string[] {
  return metadata.ownerReferences?.map(({ uid }) => uid) ?? [];
}

/** By the value of a label. */
export function labelValue(label: string): (object: KubeObject) => readonly string[] {
  return ({ metadata }) => one(metadata.labels?.[label]);
}

/** By the value of an annotation. */
export function annotationValue(annotation: string): (object: KubeObject) => readonly string[] {
  return ({ metadata }) => one(metadata.annotations?.[annotation]);
}

/** By a field that holds a text, number or boolean, such as `spec.nodeName`; keys with dots cannot be named so. */
export function fieldValue(path: string): (object: KubeObject) => readonly string[] {
  const steps = path.split('.');
  return (object) => {
    let value: unknown = object;
    for (const step of steps) {
      if (typeof value !== 'object' || value === null) return [];
      value = Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
    }
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? [String(value)]
      : [];
  };
}

const one = (value: string | undefined): readonly string[] => (value === undefined ? [] : [value]);
