// The field set of a configuration that is applied: what its writer means to own.
// Invariant: a container is owned itself only where it is an entry of a map, an item of a list, or holds nothing.
import { EMPTY_SET, type FieldSet, Gathered, isMember, SELF } from './field-set.ts';
import { isObject, itemElement, type ItemListType, type JsonObject } from './list-items.ts';
import { ANY, fieldOf, isLeaf, type MergeType } from './merge-type.ts';

/** The set of an object. Throws FieldSetError. */
export function toFieldSet(type: MergeType, value: unknown): FieldSet {
  return nodeBelow(type, value) ?? EMPTY_SET;
}

/** What is owned below a value, its own path left out; an empty node where the value is owned as a whole. */
function nodeBelow(type: MergeType, value: unknown): FieldSet | undefined {
  if (isLeaf(type) || typeof value !== 'object' || value === null) return EMPTY_SET;
  if (type.kind === 'list')
    return Array.isArray(value) ? listNode(type, value as unknown[]) : EMPTY_SET;
  return isObject(value) ? mapNode(type, value) : EMPTY_SET;
}

function mapNode(type: MergeType, value: JsonObject): FieldSet | undefined {
  const gathered = new Gathered();
  for (const key of Object.keys(value)) {
    const content = value[key];
    if (content === undefined) continue;
    const field = fieldOf(type, key);
    const below = nodeBelow(field.type, content);
    const empty = content === null || (isObject(content) && Object.keys(content).length === 0);
    const named = type.kind === 'struct';
    gathered.add(field.element, empty ? EMPTY_SET : named ? below : withSelf(below));
  }
  return gathered.node(false);
}

function listNode(type: ItemListType, list: readonly unknown[]): FieldSet | undefined {
  const nodes = new Map<string, FieldSet>();
  for (const item of list) {
    const element = itemElement(type, item);
    nodes.set(element, nodes.has(element) ? EMPTY_SET : withSelf(nodeBelow(type.item, item)));
  }
  const gathered = new Gathered();
  for (const [element, node] of nodes) gathered.add(element, node);
  return gathered.node(false);
}

function withSelf(node: FieldSet | undefined): FieldSet {
  if (node === undefined) return EMPTY_SET;
  for (const key in node) return key === SELF ? node : { [SELF]: EMPTY_SET, ...node };
  return EMPTY_SET;
}

/**
 * The set with the named fields on the way to its paths: whoever owns `spec.a` then owns `spec` too. Entries of maps and
 * items of lists are not added: those are owned by themselves or not at all.
 */
export function withNamedFields(type: MergeType, set: FieldSet): FieldSet {
  return named(type, set, false) ?? EMPTY_SET;
}

function named(type: MergeType, set: FieldSet, self: boolean): FieldSet | undefined {
  const gathered = new Gathered();
  for (const element in set) {
    if (element === SELF) continue;
    const below = set[element] as FieldSet;
    const name = element.startsWith('f:') ? element.slice(2) : undefined;
    const known = name !== undefined && type.kind === 'struct' ? type.field(name) : undefined;
    const member = known !== undefined || isMember(below);
    gathered.add(element, named(typeBelow(type, name), below, member));
  }
  return gathered.node(self);
}

function typeBelow(type: MergeType, field: string | undefined): MergeType {
  if (field !== undefined) return fieldOf(type, field).type;
  return type.kind === 'list' ? type.item : ANY;
}
