// Types of CEL as they are declared, checked and shown in errors.
// Invariant: immutable; a type may carry how large its values can be, which estimates read, and which checks ignore.

/** A type without parts. */
export interface SimpleType {
  readonly kind:
    | 'bool'
    | 'bytes'
    | 'double'
    | 'duration'
    | 'dyn'
    | 'int'
    | 'null'
    | 'string'
    | 'timestamp'
    | 'uint';
  /** Of texts and bytes: the most characters there can be. Undefined is unknown. */
  readonly max?: number;
}

/** A list. How sets and keyed lists compare and join is that of `x-kubernetes-list-type`. */
export interface ListType {
  readonly kind: 'list';
  readonly of: CelType;
  readonly max?: number;
  readonly listType?: 'map' | 'set';
  /** Of `listType: map`: the escaped names of the fields that tell items apart. */
  readonly keys?: readonly string[];
}

/** A map. JSON has none but those with text keys. */
export interface MapType {
  readonly kind: 'map';
  readonly key: CelType;
  readonly of: CelType;
  readonly max?: number;
}

/** One field of an object. */
export interface CelField {
  /** Its name in JSON; the key it stands under is the escaped one. */
  readonly name: string;
  readonly type: CelType;
}

/** An object of named fields. Two are the same type when they have the same name. */
export interface ObjectType {
  readonly kind: 'object';
  readonly name: string;
  /** By escaped name. May be a getter: types may refer to themselves. */
  readonly fields: ReadonlyMap<string, CelField>;
  /** Fields of which nothing is known may be used too; their type is dyn. */
  readonly open?: boolean;
}

/** A type that only functions look into, such as `optional_type(string)` or `kubernetes.URL`. */
export interface OpaqueType {
  readonly kind: 'opaque';
  readonly name: string;
  readonly args: readonly CelType[];
}

/** The type of types. */
export interface TypeOfType {
  readonly kind: 'type';
}

/** Stands for any one type within a signature. */
export interface ParamType {
  readonly kind: 'param';
  readonly name: string;
}

/** Any type. */
export type CelType =
  | ListType
  | MapType
  | ObjectType
  | OpaqueType
  | ParamType
  | SimpleType
  | TypeOfType;

export const DYN: CelType = { kind: 'dyn' };
export const BOOL: CelType = { kind: 'bool' };
export const INT: CelType = { kind: 'int' };
export const UINT: CelType = { kind: 'uint' };
export const DOUBLE: CelType = { kind: 'double' };
export const STRING: CelType = { kind: 'string' };
export const BYTES: CelType = { kind: 'bytes' };
export const TIMESTAMP: CelType = { kind: 'timestamp' };
export const DURATION: CelType = { kind: 'duration' };
export const NULL: CelType = { kind: 'null' };
export const TYPE: CelType = { kind: 'type' };

/** A list of these. */
export function listOf(of: CelType): ListType {
  return { kind: 'list', of };
}

/** A map from these to those. */
export function mapOf(key: CelType, of: CelType): MapType {
  return { kind: 'map', key, of };
}

/** A type that only functions look into. */
export function opaque(name: string, ...args: CelType[]): OpaqueType {
  return { kind: 'opaque', name, args };
}

const OPTIONAL = 'optional_type';

/** A value that may be missing. */
export function optionalOf(of: CelType): OpaqueType {
  return opaque(OPTIONAL, of);
}

/** What an optional holds; undefined for a type that is no optional. */
export function optionalPart(type: CelType): CelType | undefined {
  return type.kind === 'opaque' && type.name === OPTIONAL ? type.args[0] : undefined;
}

/** An object type of fields under their own names. */
export function objectOf(name: string, fields: Readonly<Record<string, CelType>>): ObjectType {
  const entries = Object.entries(fields);
  return {
    kind: 'object',
    name,
    fields: new Map(entries.map(([field, type]) => [field, { name: field, type }])),
  };
}

/** The type as errors show it: `list(string)`. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.of)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.of)})`;
    case 'opaque':
      return type.args.length === 0
        ? type.name
        : `${type.name}(${type.args.map(typeText).join(', ')})`;
    case 'object':
    case 'param':
      return type.name;
    default:
      return type.kind;
  }
}

/** The types that expressions know by name: `type(x) == int`. */
export const NAMED_TYPES: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'google.protobuf.Duration',
  'google.protobuf.Timestamp',
  'int',
  'kubernetes.NamedFormat',
  'kubernetes.Quantity',
  'kubernetes.Semver',
  'kubernetes.URL',
  'list',
  'map',
  'net.CIDR',
  'net.IP',
  'null_type',
  'optional_type',
  'string',
  'type',
  'uint',
]);
