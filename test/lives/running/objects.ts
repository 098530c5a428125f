// Objects of scenarios, applied and removed by what their kind and version say.
// Invariant: an object goes to the scenario's namespace unless it names another, or its kind has none.
import { apiVersionOf, type KindRef } from '../../../api/kind-ref.ts';
import * as kinds from '../../../api/kinds.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import type { Client, ObjectRef } from '../../../client/rest/client.ts';

/** Applies an object as the owner of every field that is given. */
export async function applyObject(
  client: Client,
  namespace: string,
  object: KubeObject,
): Promise<void> {
  const ref = refOf(object);
  const where = placeOf(ref, object, namespace);
  const body = { ...object, metadata: { ...object.metadata, ...where } };
  const patch = { type: 'apply', body, force: true } as const;
  await client.resource(ref).patch(where, patch, { fieldManager: 'scenario' });
}

/** Deletes it. */
export async function removeObject(
  client: Client,
  namespace: string,
  object: KubeObject,
): Promise<void> {
  const ref = refOf(object);
  await client.resource(ref).delete(placeOf(ref, object, namespace));
}

function placeOf(ref: KindRef, { metadata }: KubeObject, namespace: string): ObjectRef {
  const { name = '' } = metadata;
  return ref.namespaced ? { name, namespace: metadata.namespace ?? namespace } : { name };
}

function refOf({ apiVersion, kind }: KubeObject): KindRef<KubeObject> {
  const all = Object.values(kinds) as KindRef<KubeObject>[];
  const found = all.find((ref) => ref.kind === kind && apiVersionOf(ref) === apiVersion);
  if (!found) throw new Error(`there is no kind ${kind} in ${apiVersion}`);
  return found;
}
