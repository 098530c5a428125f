// Objects as field sets see them: in each version that owners wrote in, without what nobody owns.
// Invariant: pure; what comes out shares its parts with the object.
import { compare, type Comparison } from '../../api/fieldset/compare.ts';
import { emptyValue } from '../../api/fieldset/empty-value.ts';
import { type FieldSet, setOf } from '../../api/fieldset/field-set.ts';
import {
  type MergeType,
  type StructType,
  withFieldType,
  withoutNamed,
} from '../../api/fieldset/merge-type.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { mergeTypeOfKind } from '../../api/object-type.ts';
import type { Scheme } from '../../api/scheme.ts';

/**
 * What a write can change: a write of status nothing else, but for metadata where the kind lets it, and another write
 * nothing of a status that has its own path.
 */
export type Written = 'everything' | 'all but status' | 'status' | 'status and metadata';

/** A kind in one version. */
export interface KindView {
  readonly apiVersion: string;
  readonly type: MergeType;
  /** An object, in the form that hooks see, in this version. Custom resources are converted before. */
  show(stored: LooseObject): LooseObject;
}

/** The kind as the request names it. */
export function viewOf(definition: ResourceDefinition): KindView {
  return {
    apiVersion: apiVersionOf(definition.ref),
    type: mergeTypeOfKind(definition),
    show: (stored) => definition.storedAs?.fromStored(stored) ?? stored,
  };
}

/** The kind in another version, if it is served. */
export function viewIn(
  scheme: Scheme,
  { ref }: ResourceDefinition,
  apiVersion: string,
): KindView | undefined {
  const slash = apiVersion.indexOf('/');
  const [group, version] =
    slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
  const definition = scheme.byKind(group, version, ref.kind);
  return definition && viewOf(definition);
}

/** Fields of metadata that the server sets: nobody owns them. */
const SERVER_METADATA = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
] as const;

/** Paths that nobody owns and every object keeps. */
export const UNOWNED: FieldSet = setOf([
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...SERVER_METADATA.map((field) => ['f:metadata', `f:${field}`]),
]);

/** The type without what nobody owns, and without what this write cannot change. */
export function ownable(type: MergeType, written: Written): MergeType {
  const known = ownableTypes[written].get(type);
  if (known) return known;
  const made = type.kind === 'struct' ? cutDown(type, written) : type;
  ownableTypes[written].set(type, made);
  return made;
}

const ownableTypes: Readonly<Record<Written, WeakMap<MergeType, MergeType>>> = {
  everything: new WeakMap(),
  'all but status': new WeakMap(),
  status: new WeakMap(),
  'status and metadata': new WeakMap(),
};

function cutDown(type: StructType, written: Written): StructType {
  const others = type.fields.map(({ name }) => name).filter((name) => !isWritten(name, written));
  const bare = withoutNamed(type, new Set(others));
  const metadata = type.field('metadata')?.type;
  if (metadata?.kind !== 'struct') return bare;
  return withFieldType(bare, 'metadata', withoutNamed(metadata, new Set(SERVER_METADATA)));
}

const TYPE_FIELDS = ['apiVersion', 'kind'];

/** Can the write change a field at the top of an object? */
function isWritten(field: string, written: Written): boolean {
  switch (written) {
    case 'everything':
      return !TYPE_FIELDS.includes(field);
    case 'all but status':
      return field !== 'status' && !TYPE_FIELDS.includes(field);
    case 'status':
      return field === 'status';
    case 'status and metadata':
      return field === 'status' || field === 'metadata';
  }
}

/** What became of what can be owned; without `before` the object is new. */
export function compareObjects(
  view: KindView,
  { before, after, written }: { before?: LooseObject; after: LooseObject; written: Written },
): Comparison {
  const old = before ? view.show(before) : emptyValue(view.type);
  return compare(ownable(view.type, written), old, view.show(after));
}

/** The part of a set that a write can change. */
export function within(set: FieldSet, written: Written): FieldSet {
  if (written === 'everything' || (written === 'all but status' && !('f:status' in set)))
    return set;
  const fits = ([field]: [string, unknown]) => isWritten(field.slice('f:'.length), written);
  return Object.fromEntries(Object.entries(set).filter(fits)) as FieldSet;
}

/** The object without its list of owners. */
export function withoutOwners(object: LooseObject): LooseObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
