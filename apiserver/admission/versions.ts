// Objects of a write in the version that somebody in the admission chain asks for, and back.
// Invariant: what is handed in is never changed; an object of that version already is handed back as it is.
import type { ResourceDefinition } from '../../api/definition.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { LooseObject } from '../../api/meta/object.ts';

/** The object of a write by `from`, in the version of `to`. Throws what conversion throws. */
export async function inVersionOf(
  object: LooseObject,
  from: ResourceDefinition,
  to: ResourceDefinition,
): Promise<LooseObject> {
  const wanted = apiVersionOf(to.ref);
  if (object.apiVersion === wanted) return object;
  if (from.form) return (await from.form.convert([object], wanted))[0] ?? object;
  return to.storedAs?.fromStored(object) ?? { ...object, apiVersion: wanted };
}

/** The other way: an object in the version of `to`, as a write by `from` has it. */
export async function backFromVersionOf(
  object: LooseObject,
  from: ResourceDefinition,
  to: ResourceDefinition,
): Promise<LooseObject> {
  if (to.form) return inVersionOf(object, to, from);
  if (to.storedAs) return to.storedAs.toStored(object);
  return object;
}

/** A stored object as the definition serves it. */
export async function servedFrom(
  definition: ResourceDefinition,
  object: LooseObject,
): Promise<LooseObject> {
  if (definition.form) return (await definition.form.serve([object]))[0] ?? object;
  return definition.storedAs?.fromStored(object) ?? object;
}
