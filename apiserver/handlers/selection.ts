// Label and field selectors of a request as one predicate.
import type { ResourceDefinition } from '../../api/definition.ts';
import { matchesFields, parseFieldSelector, requiredValue } from '../../api/meta/field-selector.ts';
import { parseLabelSelector } from '../../api/meta/labels.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { badRequest } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { collectionPrefix, objectKey } from '../registry/keys.ts';

/** What a request selects. */
export interface Selection {
  /** Undefined: everything. */
  readonly predicate: ((object: LooseObject) => boolean) | undefined;
  /** The only name that can match, where the selector names one. */
  readonly name: string | undefined;
}

/** Reads the selectors. Throws BadRequest for bad syntax and for fields that the kind does not offer. */
export function selectionOf({ request, definition, info }: Exchange): Selection {
  const labels = request.query.get('labelSelector') ?? '';
  const fields = request.query.get('fieldSelector') ?? '';
  const terms = parseFieldSelector(fields);
  for (const { field } of terms)
    if (!offers(definition, field)) throw badRequest(notOffered(definition, field));
  const selector = labels === '' ? undefined : parseLabelSelector(labels);
  const name = requiredValue(terms, 'metadata.name') ?? info.name;
  if (!selector && terms.length === 0 && name === undefined) return { predicate: undefined, name };
  const predicate = (object: LooseObject) =>
    (name === undefined || object.metadata.name === name) &&
    (!selector || selector.matches(object.metadata.labels ?? {})) &&
    matchesFields(terms, (field) => fieldOf(definition, object, field));
  return { predicate, name };
}

/** Where the store is to look: at one key where only one can match, else at the collection. */
export function prefixOf({ definition, info }: Exchange, { name }: Selection): string {
  const { ref } = definition;
  return name !== undefined && (info.namespace !== '') === ref.namespaced
    ? objectKey(ref, info.namespace, name)
    : collectionPrefix(ref, info.namespace);
}

/** Kinds with fields of their own know what they have; all others have both fields of metadata, wherever their objects are. */
function offers(definition: ResourceDefinition, field: string): boolean {
  if (field === 'metadata.name') return true;
  if (field === 'metadata.namespace') return definition.ref.namespaced || isPlain(definition);
  return Object.hasOwn(definition.selectableFields, field);
}

function notOffered(definition: ResourceDefinition, field: string): string {
  return isPlain(definition)
    ? `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
    : `field label not supported: ${field}`;
}

const isPlain = ({ custom, selectableFields }: ResourceDefinition): boolean =>
  custom === undefined && Object.keys(selectableFields).length === 0;

function fieldOf(definition: ResourceDefinition, object: LooseObject, field: string): string {
  if (field === 'metadata.name') return object.metadata.name ?? '';
  if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
  return definition.selectableFields[field]?.(object) ?? '';
}
