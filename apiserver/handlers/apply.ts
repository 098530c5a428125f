// PATCH with application/apply-patch+yaml: server-side apply of an object, its status, or its scale.
// Invariant: an apply makes the object where it is not there; it never changes what others own unless it is forced to.
import type { ResourceDefinition } from '../../api/definition.ts';
import { misfitMessage, misfitsOf } from '../../api/fieldset/check-config.ts';
import { FieldSetError } from '../../api/fieldset/field-set-error.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { decodeAsKind, type KindOfBody, mergeTypeOfKind } from '../../api/object-type.ts';
import { checkFields, parseFieldValidation } from '../../api/schema/field-validation.ts';
import type { GroupVersionKind } from '../../api/schema/schema.ts';
import { badRequest, conflict } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import { type ParsedBody, parseJson } from '../request-body.ts';
import { isTrue } from '../../api/wire/query-flag.ts';
import type { Exchange } from '../exchange.ts';
import { type Applied, applyConfig } from '../managedfields/apply-config.ts';
import type { Writer } from '../managedfields/track-write.ts';
import { checkDepth, isObject } from '../patch/patch-error.ts';
import { structuredCopy } from '../registry/preparation.ts';
import type { Written } from '../registry/registry.ts';
import { yamlBody } from '../yaml-bodies.ts';
import { createObject } from './create.ts';
import { createOrChange } from './create-or-change.ts';
import { type Part, setOwners, writerOf } from './ownership.ts';
import { objectPresenter } from './presentation.ts';
import { changeOwned } from './update.ts';

/** Applies the body to an object, or to its status. */
export async function apply(exchange: Exchange, part: Part): Promise<Reply> {
  const show = objectPresenter(exchange);
  const { definition } = exchange;
  const applier = applierFor(exchange, part);
  const config = readConfig(exchange, definition);
  const change = async () => show((await applyToLive(exchange, { part, applier, config })).stored);
  // What is not there has no status either, nor any other part.
  if (part === 'status' || exchange.info.subresource !== undefined) return change();
  const create = async () => show((await createByApply(exchange, applier, config)).stored, 201);
  return createOrChange(exchange, { create, change });
}

/** Who applies, and whether it takes what others own. */
export interface Applier {
  readonly writer: Writer;
  readonly force: boolean;
}

/** The applier of an exchange. */
export function applierFor(exchange: Exchange, part: Part): Applier {
  const { request } = exchange;
  return { writer: writerOf(exchange, part), force: isTrue(request.query.get('force')) };
}

/** Applies a configuration to the object that is there. */
export function applyToLive(
  exchange: Exchange,
  { part, applier, config }: { part: Part; applier: Applier; config: LooseObject },
): Promise<Written> {
  const { definition, info } = exchange;
  return changeOwned(exchange, part, async (old) => {
    const { object, owners } = await applied(config, applier, old);
    const { resourceVersion } = config.metadata;
    if (resourceVersion && resourceVersion !== old.metadata.resourceVersion)
      throw conflict(definition.ref, info.name ?? '');
    checkPlace(exchange, object);
    return { object: storable(definition, object), own: (prepared) => setOwners(prepared, owners) };
  });
}

async function createByApply(
  exchange: Exchange,
  applier: Applier,
  config: LooseObject,
): Promise<Written> {
  const { definition, info, server, user } = exchange;
  const name = info.name ?? '';
  const { object, owners } = await applied(config, applier, undefined);
  const { uid, resourceVersion } = object.metadata;
  if (uid) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(definition.ref, name, why);
  }
  if (resourceVersion) throw conflict(definition.ref, name);
  checkPlace(exchange, object);
  server.authorize(user, { ...info, verb: 'create' });
  const stored = storable(definition, object);
  definition.defaults?.(stored);
  return createObject(exchange, stored, owners);
}

/**
 * A copy to store: defaults and admission may change it, and much of what was applied is the shared old object. What is
 * empty is owned by who applied it, and left out as in any other write.
 */
function storable(definition: ResourceDefinition, object: LooseObject): LooseObject {
  const own = definition.custom ? structuredCopy(object) : decodeAsKind(definition, object).object;
  return definition.storedAs?.toStored(own) ?? own;
}

async function applied(
  config: LooseObject,
  { writer, force }: Applier,
  live: LooseObject | undefined,
): Promise<Applied> {
  try {
    return await applyConfig({ writer, live, config, force });
  } catch (error) {
    if (error instanceof FieldSetError) throw badRequest(error.message);
    throw error;
  }
}

/** Fills the namespace from the URL; throws BadRequest where name or namespace disagree with it. */
function checkPlace({ definition, info }: Exchange, { metadata }: LooseObject): void {
  if (definition.ref.namespaced) {
    if (metadata.namespace && metadata.namespace !== info.namespace)
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    if (!metadata.namespace) metadata.namespace = info.namespace;
  }
  if (!metadata.name)
    throw badRequest(
      `the name of the object (${info.name} based on URL) was undeterminable: name must be provided`,
    );
  if (metadata.name !== info.name)
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`,
    );
}

/** The configuration in the body, in normal form, with the nulls that it has. Throws BadRequest. */
export function readConfig(exchange: Exchange, expected: KindOfBody): LooseObject {
  const { ref: gvk } = expected;
  const raw = applyBody(exchange, gvk);
  checkDepth(raw);
  const { apiVersion, kind, metadata } = raw as Partial<LooseObject>;
  const sent = typeName(textOf(apiVersion), textOf(kind));
  const wanted = `${gvk.group}/${gvk.version}, Kind=${gvk.kind}`;
  if (sent !== wanted) throw badRequest(`invalid object type: ${sent}`);
  if (Array.isArray(metadata?.managedFields) && metadata.managedFields.length > 0)
    throw badRequest('metadata.managedFields must be nil');
  const misfits = misfitsOf(mergeTypeOfKind(expected), raw);
  if (misfits.length > 0) {
    const { namespace, name } = isObject(metadata) ? metadata : {};
    const what = `${textOf(namespace)}/${textOf(name)}; ${wanted}`;
    throw badRequest(`failed to create typed patch object (${what}): ${misfitMessage(misfits)}`);
  }
  const { object } = decodeAsKind(expected, raw);
  const config = withEmptyOf(raw, object) as LooseObject;
  const { managedFields: _, ...named } = config.metadata ?? {};
  return { ...config, metadata: named };
}

/** What is no text is none: it is refused, and told by its field. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function typeName(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`;
}

function applyBody({ request, warnings }: Exchange, gvk: GroupVersionKind): object {
  const { body, query } = request;
  const level = parseFieldValidation(query.get('fieldValidation'));
  if (body === undefined) throw badRequest('a request body is needed: the configuration to apply');
  if (!(body instanceof Uint8Array)) return body;
  const { value, duplicates } = jsonOf(body) ?? yamlBody(body);
  // Fields that the kind does not have are refused later, at any level, as upstream does.
  const found = { unknownFields: [], duplicateFields: level === 'Ignore' ? [] : duplicates() };
  const texts = checkFields('Warn', gvk, found);
  if (level === 'Strict' && texts.length > 0)
    throw badRequest(`error strict decoding YAML: ${texts.join(', ')}`);
  if (level === 'Warn') warnings.push(...texts);
  if (isObject(value)) return value;
  throw badRequest('error decoding YAML: the configuration is no object');
}

/** White space that JSON may begin with; with more it is read as YAML, which comes to the same. */
const MAX_INDENT = 64;

/** JSON is YAML, and most clients send it: it is read much faster. */
function jsonOf(body: Uint8Array): ParsedBody | undefined {
  if (!/^\s*\{/.test(Buffer.from(body.subarray(0, MAX_INDENT)).toString())) return undefined;
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/** The decoded value with the nulls of the raw one, and what is empty in it: who applies these owns the fields. */
function withEmptyOf(raw: unknown, decoded: unknown): unknown {
  if (decoded === undefined && isEmpty(raw)) return raw;
  if (Array.isArray(raw) && Array.isArray(decoded))
    return decoded.map((item, i) => withEmptyOf(raw[i], item));
  if (!isObject(raw) || !isObject(decoded)) return decoded;
  const value = new Map(Object.entries(decoded));
  for (const [key, item] of Object.entries(raw))
    value.set(key, item === null ? null : withEmptyOf(item, value.get(key)));
  return Object.fromEntries(value);
}

/** Zeros among it: an unset one is as none in the object, and is a field of who applied it nevertheless. */
function isEmpty(raw: unknown): boolean {
  if (typeof raw !== 'object') return !raw;
  return Array.isArray(raw) ? raw.length === 0 : isObject(raw) && Object.keys(raw).length === 0;
}
