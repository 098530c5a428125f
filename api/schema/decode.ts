// Turns a parsed body into an object of a known kind, by its schema. Invariant: the input is never
// changed and never shared with the output (it may be frozen, or in use by the caller), unless it is given away; fields that
// the kind does not have, nulls, `undefined`, optional lists and maps with nothing in them, and zeros that
// upstream leaves out do not get through.
import type { LooseObject, ObjectMeta } from '../meta/object.ts';
import type { StatusError } from '../status.ts';
import { badRequest } from '../status.ts';
import { decodeLeaf } from './decode-leaf.ts';
import { DecodeError, pathOf, Place, typeMismatch } from './decode-place.ts';
import type { GroupVersionKind } from './schema.ts';
import { shapeOf } from './shape.ts';
import type { Shape } from './shape.ts';

/** Nesting beyond this is refused; only free-form fields can be nested at will. */
export const MAX_DEPTH = 500;

/** How many unknown fields are named; further ones are dropped without a word. */
export const MAX_UNKNOWN_FIELDS = 100;

/**
 * A decoded object, and the paths of fields that its kind does not have, such as
 * `spec.containers[0].imag`.
 */
export interface Decoded {
  readonly object: LooseObject;
  readonly unknownFields: string[];
}

/** What the caller expects to read. */
export interface DecodeOptions {
  readonly gvk: GroupVersionKind;
  /** The value is JSON that was parsed for this alone: it becomes the object, part by part, and is nobody else's any more. */
  readonly given?: boolean;
}

/**
 * Decodes a body. An absent apiVersion or kind is filled in from `gvk`. Throws BadRequest with
 * upstream's wording when a value has the wrong type, or the body says that it is of another kind
 * or version.
 */
export function decodeObject(
  schemaName: string,
  value: unknown,
  { gvk, given = false }: DecodeOptions,
): Decoded {
  return decodeAs(gvk, value, () => {
    const unknownFields: string[] = [];
    const decoder = new Decoder(unknownFields, given);
    const object = decoder.value(shapeOf(schemaName), value, Place.root());
    return { object: object as LooseObject, unknownFields };
  });
}

/** As decodeObject, by a walk of the caller's own, which may throw DecodeError. */
export function decodeAs(gvk: GroupVersionKind, value: unknown, walk: () => Decoded): Decoded {
  try {
    checkKind(value, gvk);
    const { object, unknownFields } = walk();
    return { object: withType(object, gvk), unknownFields };
  } catch (error) {
    if (error instanceof DecodeError) throw cannotBeHandled(gvk, error.message);
    throw error;
  }
}

/** The metadata of an object that has no schema name. Throws DecodeError. */
export function decodeMetadata(value: unknown): {
  readonly metadata: ObjectMeta;
  readonly unknownFields: string[];
} {
  const unknownFields: string[] = [];
  const at = Place.root().field('metadata', 'ObjectMeta');
  const metadata = new Decoder(unknownFields, false).value(shapeOf(OBJECT_META), value ?? {}, at);
  return { metadata: metadata as ObjectMeta, unknownFields };
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The refusal of a body, in the words that clients know. */
export function cannotBeHandled(gvk: GroupVersionKind, why: string): StatusError {
  return badRequest(
    `${gvk.kind} in version "${gvk.version}" cannot be handled as a ${gvk.kind}: ${why}`,
  );
}

function checkKind(value: unknown, { group, version, kind }: GroupVersionKind): void {
  if (!isRecord(value)) return;
  const expected = group === '' ? version : `${group}/${version}`;
  const { apiVersion, kind: actual } = value;
  if (typeof apiVersion === 'string' && apiVersion !== '' && apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match ` +
        `the expected API version (${expected})`,
    );
  }
  if (typeof actual === 'string' && actual !== '' && actual !== kind) {
    throw badRequest(
      `${actual} in version "${version}" cannot be handled as a ${kind}: ` +
        `the data is of kind ${actual}, but ${kind} is expected here`,
    );
  }
}

/** apiVersion and kind first, as upstream prints them. */
function withType(object: LooseObject, { group, version, kind }: GroupVersionKind): LooseObject {
  const typed: Record<string, unknown> = {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
  };
  for (const key in object)
    if (key !== 'apiVersion' && key !== 'kind') setOwn(typed, key, object[key]);
  return typed as LooseObject;
}

/** Is it an object in JSON's sense? */
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A zero, or nothing in it; the first key found settles it. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object') return !value;
  for (const _key in value) return false;
  return true;
}

/** Sets a key of a map whose keys a client chose: `__proto__` must stay an ordinary key. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    const descriptor = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(target, key, descriptor);
  } else {
    target[key] = value;
  }
}

class Decoder {
  readonly #unknown: string[];
  readonly #given: boolean;
  #depth = 0;

  constructor(unknown: string[], given: boolean) {
    this.#unknown = unknown;
    this.#given = given;
  }

  value(shape: Shape, value: unknown, at: Place): unknown {
    this.#enter();
    const decoded = this.#inner(shape, value, at);
    this.#depth -= 1;
    return decoded;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new DecodeError('json: exceeded max depth');
  }

  #inner(shape: Shape, value: unknown, at: Place): unknown {
    switch (shape.kind) {
      case 'struct':
        return this.#struct(shape, value, at);
      case 'map':
        return this.#map(shape, value, at);
      case 'list':
        return this.#list(shape, value, at);
      case 'any':
        return this.#given ? this.#asItIs(value) : this.#any(value);
      default:
        return decodeLeaf(shape, value, at);
    }
  }

  #list(shape: Shape & { kind: 'list' }, value: unknown, at: Place): unknown {
    if (!Array.isArray(value)) throw typeMismatch(shape, value, at);
    const list = value as unknown[];
    const decoded: unknown[] = this.#given ? list : [];
    for (let i = 0; i < list.length; i++) {
      const value = list[i];
      decoded[i] = isPlain(shape.item, value) ? value : this.#item(shape.item, value, at.item(i));
    }
    return decoded;
  }

  /** Null and undefined in a list or map stand for the zero value of its type. */
  #item(shape: Shape, value: unknown, at: Place): unknown {
    return this.value(shape, value ?? zero(shape), at);
  }

  #struct(shape: Shape & { kind: 'struct' }, value: unknown, at: Place): unknown {
    if (!isRecord(value)) throw typeMismatch(shape, value, at);
    const decoded: Record<string, unknown> = this.#given ? value : {};
    let leftOut: Set<string> | undefined;
    for (const key of Object.keys(value)) {
      const before = value[key];
      const item = this.#field(shape, key, { value: before, at });
      if (item === undefined) (leftOut ??= new Set()).add(key);
      else if (!this.#given || item !== before) decoded[key] = item;
    }
    return this.#given && leftOut ? without(decoded, leftOut) : decoded;
  }

  /** Undefined where the field is to be left out. */
  #field(
    shape: Shape & { kind: 'struct' },
    key: string,
    { value, at }: { value: unknown; at: Place },
  ): unknown {
    if (value === undefined) return undefined;
    const field = shape.fields.get(key);
    if (field === undefined) return this.#noteUnknown(at, key);
    if (value === null) return undefined;
    const item = isPlain(field, value)
      ? value
      : this.value(field, value, at.field(key, shape.structName));
    return field.omitEmpty && isEmpty(item) ? undefined : item;
  }

  #map(shape: Shape & { kind: 'map' }, value: unknown, at: Place): unknown {
    if (!isRecord(value)) throw typeMismatch(shape, value, at);
    const decoded: Record<string, unknown> = this.#given ? value : {};
    for (const key of Object.keys(value)) {
      const before = value[key];
      if (before === undefined) continue;
      const isReady = isPlain(shape.value, before);
      const item = isReady ? before : this.#item(shape.value, before, at.key(key));
      if (!this.#given || item !== before) setOwn(decoded, key, item);
    }
    return decoded;
  }

  #any(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.value(ANY, item ?? null, ROOT));
    if (!isRecord(value)) return value;
    const decoded: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      if (value[key] !== undefined) setOwn(decoded, key, this.value(ANY, value[key], ROOT));
    }
    return decoded;
  }

  /** What may be anything and was given away needs no look but at its depth. */
  #asItIs(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const parts = value as Readonly<Record<string, unknown>>;
    for (const key in parts) {
      const part = parts[key];
      if (typeof part !== 'object' || part === null) continue;
      this.#enter();
      this.#asItIs(part);
      this.#depth -= 1;
    }
    return value;
  }

  #noteUnknown(at: Place, key: string): undefined {
    if (this.#unknown.length < MAX_UNKNOWN_FIELDS) this.#unknown.push(pathOf(at, key));
  }
}

/** A text or a truth where one belongs, as most values are: there is nothing to decode, and nothing to say of its place. */
function isPlain({ kind }: Shape, value: unknown): boolean {
  return (
    (kind === 'string' && typeof value === 'string') ||
    (kind === 'bool' && typeof value === 'boolean')
  );
}

function without(value: Record<string, unknown>, keys: ReadonlySet<string>) {
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(value)) if (!keys.has(key)) kept[key] = value[key];
  return kept;
}

const ANY: Shape = { kind: 'any', typeName: 'interface {}', omitEmpty: false };
const ROOT = Place.root();

function zero(shape: Shape): unknown {
  switch (shape.kind) {
    case 'struct':
    case 'map':
      return {};
    case 'list':
      return [];
    case 'any':
      return null;
    case 'bool':
      return false;
    case 'double':
    case 'int32':
    case 'int64':
    case 'int-or-string':
      return 0;
    case 'quantity':
      return '0';
    default:
      return '';
  }
}
