// Which types fit where, and which values are of a type.
// Invariant: dyn fits everything and everything fits dyn; what that hides is found out when values are there.
import type { CelType } from './cel-type.ts';
import {
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  ObjectValue,
  OpaqueValue,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
} from './values.ts';

/** What the parameters of a signature stand for. */
export type Bound = Map<string, CelType>;

/** May a value of type `actual` stand where `wanted` is asked for? Binds the parameters of `wanted`. */
export function fits(wanted: CelType, actual: CelType, bound: Bound): boolean {
  if (wanted.kind === 'param') return fitsParam(wanted.name, actual, bound);
  if (wanted.kind === 'dyn' || actual.kind === 'dyn') return true;
  if (actual.kind === 'null') return mayBeNull(wanted);
  if (wanted.kind === 'null') return mayBeNull(actual);
  return wanted.kind === actual.kind && fitsParts(wanted, actual, bound);
}

function fitsParam(name: string, actual: CelType, bound: Bound): boolean {
  const known = bound.get(name);
  if (
    known === undefined ||
    (known.kind !== 'dyn' && actual.kind === 'dyn' && bound.set(name, actual))
  ) {
    bound.set(name, actual);
    return true;
  }
  if (fits(known, actual, bound)) {
    if (known.kind === 'null') bound.set(name, actual);
    return true;
  }
  return false;
}

function fitsParts(wanted: CelType, actual: CelType, bound: Bound): boolean {
  if (wanted.kind === 'list' && actual.kind === 'list') return fits(wanted.of, actual.of, bound);
  if (wanted.kind === 'map' && actual.kind === 'map')
    return fits(wanted.key, actual.key, bound) && fits(wanted.of, actual.of, bound);
  if (wanted.kind === 'object' && actual.kind === 'object') return wanted.name === actual.name;
  if (wanted.kind !== 'opaque' || actual.kind !== 'opaque') return true;
  const parts = wanted.args.every((arg, i) => fits(arg, actual.args[i] ?? arg, bound));
  return wanted.name === actual.name && parts;
}

/** Upstream's: of plain types only times may be null. */
function mayBeNull({ kind }: CelType): boolean {
  return ['duration', 'null', 'object', 'opaque', 'timestamp'].includes(kind);
}

/** The type with what its parameters stand for; dyn where that is not known. */
export function substituted(type: CelType, bound: Bound): CelType {
  switch (type.kind) {
    case 'param':
      return bound.get(type.name) ?? { kind: 'dyn' };
    case 'list':
      return { ...type, of: substituted(type.of, bound) };
    case 'map':
      return { ...type, key: substituted(type.key, bound), of: substituted(type.of, bound) };
    case 'opaque':
      return type.args.length === 0
        ? type
        : { ...type, args: type.args.map((arg) => substituted(arg, bound)) };
    default:
      return type;
  }
}

/** Are they the same, whatever their sizes? */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if (a.kind === 'list' && b.kind === 'list') return sameType(a.of, b.of);
  if (a.kind === 'map' && b.kind === 'map') return sameType(a.key, b.key) && sameType(a.of, b.of);
  if (a.kind === 'object' && b.kind === 'object') return a.name === b.name;
  if (a.kind !== 'opaque' || b.kind !== 'opaque') return true;
  return a.name === b.name && a.args.every((arg, i) => sameType(arg, b.args[i] ?? arg));
}

/** The test that values of a type pass; parts of lists and maps are not looked at. */
export function valueTest(type: CelType): (value: CelValue) => boolean {
  if (type.kind === 'opaque') return opaqueTest(type.name);
  return TESTS[type.kind];
}

function opaqueTest(name: string): (value: CelValue) => boolean {
  if (name === 'optional_type') return (value) => value instanceof Optional;
  return (value) => value instanceof OpaqueValue && value.typeName === name;
}

const TESTS: Readonly<Record<Exclude<CelType['kind'], 'opaque'>, (value: CelValue) => boolean>> = {
  dyn: () => true,
  param: () => true,
  bool: (value) => typeof value === 'boolean',
  bytes: (value) => value instanceof Uint8Array,
  double: (value) => typeof value === 'number',
  duration: (value) => value instanceof Duration,
  int: (value) => typeof value === 'bigint',
  list: (value) => value instanceof ListValue,
  map: (value) => value instanceof MapValue,
  null: (value) => value === null,
  object: (value) => value instanceof ObjectValue,
  string: (value) => typeof value === 'string',
  timestamp: (value) => value instanceof Timestamp,
  type: (value) => value instanceof TypeValue,
  uint: (value) => value instanceof Uint,
};
