// Values of CEL while an expression is evaluated.
// Invariant: immutable. int is a bigint within int64, double a number; lists, maps and objects are seen through
// interfaces, so that JSON need not be copied.
import { table } from '../../base/table.ts';
import { CelError } from './cel-error.ts';
import type { ListType } from './cel-type.ts';

/** An unsigned 64-bit number. */
export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** A point in time: nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A span of time in nanoseconds. */
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A type as a value: what `type(x)` gives. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that may be missing. */
export class Optional {
  readonly value: CelValue | undefined;
  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/** The optional without value. */
export const NONE = new Optional(undefined);

/** A value that only functions look into; libraries extend it. */
export abstract class OpaqueValue {
  /** The name of its type, such as `kubernetes.URL`. */
  abstract readonly typeName: string;
  abstract equals(other: OpaqueValue): boolean;
  /** How large it counts for costs. */
  get size(): number {
    return 1;
  }
}

/** A list. Items outside of it are undefined. */
export abstract class ListValue {
  abstract readonly size: number;
  abstract at(index: number): CelValue | undefined;
  /** Of sets and keyed lists: how their items are told apart. */
  get type(): ListType | undefined {
    return undefined;
  }
}

/** A map. What is not in it is undefined. */
export abstract class MapValue {
  abstract readonly size: number;
  abstract get(key: CelValue): CelValue | undefined;
  abstract keys(): readonly CelValue[];
}

/** An object of named fields. Extend it for fields that are worked out when they are asked for. */
export abstract class ObjectValue {
  abstract readonly typeName: string;
  /** The value, undefined when the field is not set. Throws a CelError for a field that the type has not. */
  abstract get(field: string): CelValue | undefined;
  /** The fields that are set, by the names expressions know. */
  abstract names(): readonly string[];
}

/** Any value. */
export type CelValue =
  | Duration
  | ListValue
  | MapValue
  | ObjectValue
  | OpaqueValue
  | Optional
  | Timestamp
  | TypeValue
  | Uint
  | Uint8Array
  | bigint
  | boolean
  | null
  | number
  | string;

/** A list made by an expression. */
export class PlainList extends ListValue {
  readonly items: readonly CelValue[];
  readonly #type: ListType | undefined;
  constructor(items: readonly CelValue[], type?: ListType) {
    super();
    this.items = items;
    this.#type = type;
  }
  override get type(): ListType | undefined {
    return this.#type;
  }
  get size(): number {
    return this.items.length;
  }
  at(index: number): CelValue | undefined {
    return this.items[index];
  }
}

/** A map made by an expression. */
export class PlainMap extends MapValue {
  readonly #entries = new Map<MapKey, readonly [key: CelValue, value: CelValue]>();
  /** Made when it is first asked for: loops ask each time. */
  #keys: readonly CelValue[] | undefined;

  get size(): number {
    return this.#entries.size;
  }
  get(key: CelValue): CelValue | undefined {
    const known = mapKey(key);
    return known === undefined ? undefined : this.#entries.get(known)?.[1];
  }
  keys(): readonly CelValue[] {
    return (this.#keys ??= [...this.#entries.values()].map(([key]) => key));
  }
  /** Only while the map is made. Throws a CelError for a key that is there or can be none. */
  add(key: CelValue, value: CelValue): void {
    const known = mapKey(key);
    if (known === undefined) throw new CelError(`unsupported key type: ${typeName(key)}`);
    if (this.#entries.has(known)) throw new CelError('Failed with repeated key');
    this.#entries.set(known, [key, value]);
    this.#keys = undefined;
  }
}

type MapKey = bigint | boolean | string;

/** Keys are equal across number types, as values are. Undefined for what can be no key. */
function mapKey(key: CelValue): MapKey | undefined {
  if (typeof key === 'string' || typeof key === 'boolean' || typeof key === 'bigint') return key;
  if (key instanceof Uint) return key.value;
  return typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : undefined;
}

/** An object made by a typed literal. */
export class PlainObject extends ObjectValue {
  readonly typeName: string;
  readonly #fields: ReadonlyMap<string, CelValue>;

  constructor(name: string, fields: ReadonlyMap<string, CelValue>) {
    super();
    this.typeName = name;
    this.#fields = fields;
  }
  get(field: string): CelValue | undefined {
    return this.#fields.get(field);
  }
  names(): readonly string[] {
    return [...this.#fields.keys()];
  }
}

/** The name of a value's type as `type(x)` shows it. */
export function typeName(value: CelValue): string {
  const plain = PLAIN_NAMES[typeof value];
  if (plain !== undefined) return plain;
  if (value === null) return 'null_type';
  if (value instanceof ListValue) return 'list';
  if (value instanceof MapValue) return 'map';
  if (value instanceof ObjectValue || value instanceof OpaqueValue) return value.typeName;
  return CLASS_NAMES.find(([known]) => value instanceof known)?.[1] ?? 'dyn';
}

const PLAIN_NAMES: Readonly<Record<string, string>> = table({
  bigint: 'int',
  boolean: 'bool',
  number: 'double',
  string: 'string',
});
const CLASS_NAMES = [
  [Uint, 'uint'],
  [Uint8Array, 'bytes'],
  [Timestamp, 'google.protobuf.Timestamp'],
  [Duration, 'google.protobuf.Duration'],
  [Optional, 'optional_type'],
  [TypeValue, 'type'],
] as const;

/** How large the value counts for costs: its characters, bytes, items or entries; everything else is one. */
export function sizeOf(value: CelValue): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  if (value instanceof ListValue || value instanceof MapValue || value instanceof OpaqueValue)
    return value.size;
  return value instanceof Uint8Array ? value.length : 1;
}

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
const MAX_UINT = 2n ** 64n - 1n;

/** The int, or a CelError when it is none. */
export function int(value: bigint): bigint {
  if (value > MAX_INT || value < MIN_INT) throw new CelError('integer overflow');
  return value;
}

/** The uint, or a CelError when it is none. */
export function uint(value: bigint): Uint {
  if (value > MAX_UINT || value < 0n) throw new CelError('unsigned integer overflow');
  return new Uint(value);
}
