// PATCH of an object or of its status: JSON patch, merge patch, strategic merge patch; apply.ts has the fourth sort.
// Invariant: the patch is applied to the newest state, again when another writer was first; a resourceVersion inside it pins the state.
import { table } from '../../base/table.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import { invalid, invalidValue } from '../../api/field-error.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { schemaOf } from '../../api/schema/schema.ts';
import { badRequest, conflict, StatusError } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import { mediaType, type ParsedBody, parseJson, unsupported } from '../request-body.ts';
import { apply as applyConfiguration } from './apply.ts';
import { decodeValue } from './decoding.ts';
import { objectPresenter } from './presentation.ts';
import type { Part } from './ownership.ts';
import { changeObject } from './update.ts';
import { APPLY_TYPE } from './write-options.ts';

type ApplyPatch = (current: LooseObject, patch: unknown, exchange: Exchange) => object;

/** How each media type is applied. */
const PATCHES: Readonly<Record<string, ApplyPatch>> = table({
  'application/json-patch+json': applyJsonPatch,
  'application/merge-patch+json': applyMergePatch,
  'application/strategic-merge-patch+json': (current, patch, { definition }) =>
    applyStrategicMergePatch(current, patch, schemaOf(definition.schemaName)),
});

const { 'application/strategic-merge-patch+json': _, ...CUSTOM_PATCHES } = PATCHES;

/** Strategic merges rest on what the client package's schemas say of lists; custom resources have none of it, as upstream. */
function patchesOf({ custom }: ResourceDefinition): Readonly<Record<string, ApplyPatch>> {
  return custom ? CUSTOM_PATCHES : PATCHES;
}

/** Patches an object, or its status. */
export function patch(part: Part): (exchange: Exchange) => Promise<Reply> {
  return async (exchange) => {
    const { request } = exchange;
    const show = objectPresenter(exchange);
    const type = mediaType(request);
    if (type === APPLY_TYPE) return applyConfiguration(exchange, part);
    const apply = patchesOf(exchange.definition)[type];
    if (!apply)
      throw unsupported(type, [...Object.keys(patchesOf(exchange.definition)), APPLY_TYPE]);
    const body = patchBody(exchange);
    const pass = speaksOfOwners(request.body) ? asIs : withoutOwners;
    const written = await changeObject(exchange, part, (old) => {
      const bare = pass(old);
      const shown = exchange.definition.storedAs?.fromStored(bare) ?? bare;
      const patched = apply(shown, body.value, exchange) as LooseObject;
      const object = decodePatched(exchange, patched, body);
      const { resourceVersion } = object.metadata;
      if (resourceVersion && resourceVersion !== old.metadata.resourceVersion)
        throw conflict(exchange.definition.ref, exchange.info.name ?? '');
      checkPlace(exchange, object);
      return object;
    });
    return show(written.stored);
  };
}

/** What the patch made of the object. Throws Invalid where that is no object of the kind. */
function decodePatched(
  exchange: Exchange,
  patched: LooseObject,
  { duplicates }: ParsedBody,
): LooseObject {
  try {
    return decodeValue(exchange, patched, duplicates);
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'BadRequest') throw error;
    const why = error.message.replace(CANNOT_BE_HANDLED, '');
    throw invalid({ group: '', kind: '' }, '', [invalidValue('patch', shownText(patched), why)]);
  }
}

/** How a decoding begins to say what is wrong; of a patch, upstream shows the object instead. */
const CANNOT_BE_HANDLED = /^\w+ in version "\w+" cannot be handled as a \w+: /;

/** How much of an object a refusal shows. */
const MAX_SHOWN_CHARS = 1024;

function shownText(patched: object): string {
  const text = JSON.stringify(patched);
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}

const asIs = (object: LooseObject): LooseObject => object;

/** The list of owners is long and patches rarely speak of it: then it is neither patched nor decoded. */
function withoutOwners(object: LooseObject): LooseObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function speaksOfOwners(body: Exchange['request']['body']): boolean {
  if (body === undefined) return false;
  if (!(body instanceof Uint8Array)) return body.metadata?.managedFields !== undefined;
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes('managedFields');
}

function patchBody({ request }: Exchange): ParsedBody {
  const { body } = request;
  if (body === undefined) throw badRequest('a request body is needed: the patch');
  if (!(body instanceof Uint8Array)) return { value: body, duplicates: () => [] };
  return parseJson(body, 'the patch');
}

function checkPlace({ definition, info }: Exchange, object: LooseObject): void {
  const { namespace } = object.metadata;
  if (definition.ref.namespaced && namespace && namespace !== info.namespace)
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  if (object.metadata.name !== info.name)
    throw badRequest(
      `the name of the object (${object.metadata.name ?? ''}) does not match the name on the URL (${info.name})`,
    );
}
