// From a request's body to an object of the asked kind, with upstream's checks of name and namespace against the URL.
import type { LooseObject } from '../../api/meta/object.ts';
import { decodeAsKind } from '../../api/object-type.ts';
import { checkFields, parseFieldValidation } from '../../api/schema/field-validation.ts';
import { badRequest } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { type ParsedBody, parseBody } from '../request-body.ts';

/** The object in the body, decoded, in the form that is stored, and defaulted. Adds warnings of unknown fields. Throws BadRequest. */
export function decodeBody(exchange: Exchange): LooseObject {
  const body = parseBody(exchange.request);
  if (body.value === undefined) throw badRequest('a request body is needed: the object to write');
  const object = decodeParsed(exchange, body);
  placeObject(exchange, object);
  exchange.definition.defaults?.(object);
  return object;
}

/** As decodeBody, of a value that is there already (a patched object). Not defaulted, not placed. */
export function decodeValue(
  exchange: Exchange,
  value: unknown,
  duplicates: () => readonly string[] = () => [],
): LooseObject {
  return decodeParsed(exchange, { value, duplicates });
}

function decodeParsed(exchange: Exchange, { value, given, duplicates }: ParsedBody): LooseObject {
  const { definition, request, warnings } = exchange;
  const level = parseFieldValidation(request.query.get('fieldValidation'));
  const gvk = definition.ref;
  const duplicateFields = level === 'Ignore' ? [] : duplicates();
  const { object, unknownFields } = decodeAsKind(definition, value, given);
  warnings.push(...checkFields(level, gvk, { unknownFields, duplicateFields }));
  object.metadata ??= {};
  return definition.storedAs?.toStored(object) ?? object;
}

/** Fills namespace and name from the URL; throws BadRequest where they disagree. */
export function placeObject({ info, definition }: Exchange, object: LooseObject): void {
  const { metadata } = object;
  if (definition.ref.namespaced) {
    if (metadata.namespace && metadata.namespace !== info.namespace)
      throw badRequest(
        `the namespace of the provided object does not match the namespace sent on the request`,
      );
    metadata.namespace = info.namespace;
  } else delete metadata.namespace;
  if (info.name === undefined) return;
  if (metadata.name && metadata.name !== info.name)
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`,
    );
  metadata.name = info.name;
}
