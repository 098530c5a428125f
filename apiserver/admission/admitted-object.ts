// The objects of a request as somebody from outside is shown them: in the version that they asked for, and through a
// subresource as its own kind; and the way back of what they made of it.
// Invariant: what is shown is never the handlers' own object; what comes back is decoded and defaulted as any body is.
import { isScaled, SCALE_SCHEMA, type Scale, scaleOf } from '../../api/autoscaling/scale-of.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { decodeAsKind } from '../../api/object-type.ts';
import { type Decoded, decodeObject } from '../../api/schema/decode.ts';
import { schemaNameOf } from '../../api/schema/endpoints.ts';
import { checkFields } from '../../api/schema/field-validation.ts';
import type { GroupVersionKind } from '../../api/schema/schema.ts';
import { structuredCopy } from '../registry/preparation.ts';
import type { AdmissionRequest } from './admission.ts';
import { kindOfRequest } from './matching.ts';
import { backFromVersionOf, inVersionOf } from './versions.ts';

/** The objects of a request. Nothing is new in a delete, nothing old in a create or a connection. */
export interface AdmittedObjects {
  readonly object: LooseObject | undefined;
  readonly old: LooseObject | undefined;
}

/** What is shown of a request in the version of `shown`. */
export async function admittedObjects(
  request: AdmissionRequest,
  shown: ResourceDefinition,
): Promise<AdmittedObjects> {
  const { operation, object, old } = request;
  const show = async (state: LooseObject | undefined) => state && inForm(request, shown, state);
  return { object: operation === 'delete' ? undefined : await show(object), old: await show(old) };
}

/** How what was made of an object is read: fields that its kind does not have are left out, or refused, as of a write that asks for it. */
export type Reading = 'leniently' | 'strictly';

/** Puts what somebody from outside made of the shown object in the place of the request's. Throws BadRequest where it is none. */
export async function takeBack(
  request: AdmissionRequest,
  { shown, reading }: { readonly shown: ResourceDefinition; readonly reading: Reading },
  changed: LooseObject,
): Promise<void> {
  const read = ({ object, unknownFields }: Decoded, gvk: GroupVersionKind) => {
    if (reading === 'strictly') checkFields('Strict', gvk, { unknownFields });
    return object;
  };
  const next = await fromForm(request, { shown, read }, changed);
  const { object } = request as { object: Record<string, unknown> };
  for (const key of Object.keys(object)) delete object[key];
  Object.assign(object, next);
}

async function inForm(
  { definition, subresource }: AdmissionRequest,
  shown: ResourceDefinition,
  state: LooseObject,
): Promise<LooseObject> {
  if (isScaled(definition, subresource)) return scaleOf(definition.scale, state);
  if (ownKind(definition, subresource)) return state;
  return inVersionOf(state, definition, shown);
}

interface Form {
  readonly shown: ResourceDefinition;
  readonly read: (decoded: Decoded, gvk: GroupVersionKind) => LooseObject;
}

async function fromForm(
  request: AdmissionRequest,
  { shown, read }: Form,
  changed: LooseObject,
): Promise<LooseObject> {
  const { definition, subresource, object } = request;
  if (isScaled(definition, subresource)) {
    const gvk = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
    const { spec } = read(decodeObject(SCALE_SCHEMA, changed, { gvk }), gvk) as Scale;
    return structuredCopy(
      definition.scale.withReplicas(object, spec?.replicas ?? 0),
    ) as LooseObject;
  }
  const kind = ownKind(definition, subresource);
  if (kind) return read(decodedAs(kind, changed), kind);
  const plain = decodeAsKind(shown, changed);
  // What a custom resource's schema does not have is pruned, whoever wrote it.
  const decoded = shown.custom ? plain.object : read(plain, shown.ref);
  decoded.metadata ??= {};
  const back = await backFromVersionOf(decoded, definition, shown);
  definition.defaults?.(back);
  return back;
}

/** The kind of what is sent to a subresource that does not take the object itself. */
function ownKind(
  definition: ResourceDefinition,
  subresource: string | undefined,
): GroupVersionKind | undefined {
  const kind = kindOfRequest(definition, subresource);
  return kind?.kind === definition.ref.kind ? undefined : kind;
}

/** Options of connections have no schema; they are read field by field. */
function decodedAs(gvk: GroupVersionKind, changed: LooseObject): Decoded {
  const schema = schemaNameOf(gvk);
  if (schema === undefined) return { object: changed, unknownFields: [] };
  return decodeObject(schema, changed, { gvk });
}
