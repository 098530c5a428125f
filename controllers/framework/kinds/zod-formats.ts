// What zod calls a format, as servers read it: a format of theirs, a pattern, or both where theirs lets more pass.
// Invariant: what a schema of zod refuses a server refuses, too; what it takes is taken, but for whole numbers, which may be int64.
import { formatRule } from '../../../api/schema/structural/formats.ts';

/** What is read of a zod schema that is a format, or of a check that is one. */
export interface FormatDef {
  readonly format?: string;
  readonly pattern?: RegExp;
  /** Of moments: zones other than Z, none at all, and how many digits seconds have. */
  readonly offset?: boolean;
  readonly local?: boolean;
  readonly precision?: number | null;
}

/** A schema of zod with its checks. */
interface Checked extends FormatDef {
  readonly checks?: readonly { readonly _zod: { readonly def: FormatDef } }[];
}

type Keywords = Record<string, unknown>;

/** A format that servers know. `pattern`: none is needed, zod's own is, or this one. */
interface ServerFormat {
  readonly format: string;
  readonly pattern?: string | true;
}

/** By zod's names. */
const FORMATS: Readonly<Record<string, ServerFormat>> = {
  base64: { format: 'byte' },
  cidrv4: { format: 'cidr', pattern: true },
  cidrv6: { format: 'cidr', pattern: true },
  date: { format: 'date' },
  datetime: { format: 'date-time' },
  email: { format: 'email', pattern: true },
  hostname: { format: 'hostname' },
  ipv4: { format: 'ipv4' },
  ipv6: { format: 'ipv6' },
  mac: { format: 'mac', pattern: true },
  // Servers take paths for URIs.
  url: { format: 'uri', pattern: '^[A-Za-z][A-Za-z0-9+.-]*:' },
  uuid: { format: 'uuid', pattern: true },
};
/** Moments whose zone is Z, as zod has them unless told; and those of any. Servers take small letters, too. */
const UTC = 'T.*Z$';
const ANY_ZONE = 'T[^z]*$';

function serverFormat(name: string | undefined): ServerFormat | undefined {
  return name !== undefined && Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
}

/** Says the formats and patterns of a text as a definition does. */
export function adjustText(def: Checked, schema: Keywords): void {
  const said = schema['format'];
  for (const key of ['allOf', 'contentEncoding', 'format', 'pattern']) delete schema[key];
  const parts: readonly FormatDef[] = [def, ...(def.checks ?? []).map(({ _zod }) => _zod.def)];
  const formats = parts.flatMap(({ format }) => serverFormat(format)?.format ?? []);
  if (formats.length > 0) schema['format'] = formats[0];
  else if (def.format === undefined && typeof said === 'string' && formatRule(said))
    schema['format'] = said;
  const patterns = [...new Set(parts.flatMap((part) => patternOf(part) ?? []))];
  if (patterns.length === 1) schema['pattern'] = patterns[0];
  else if (patterns.length > 1) schema['allOf'] = patterns.map((pattern) => ({ pattern }));
}

function patternOf(part: FormatDef): string | undefined {
  const { format, offset, pattern, precision } = part;
  if (format === 'datetime') {
    if (typeof precision === 'number') return pattern?.source;
    return offset ? ANY_ZONE : UTC;
  }
  const known = serverFormat(format);
  if (known === undefined || known.pattern === true) return pattern?.source;
  return known.pattern;
}

/** The bounds that zod's number formats stand for; a definition says them by a format. */
const NUMBER_FORMATS: Readonly<
  Record<string, { readonly format: string; readonly min?: number; readonly max?: number }>
> = {
  safeint: { format: 'int64', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  int32: { format: 'int32', min: -(2 ** 31), max: 2 ** 31 - 1 },
  uint32: { format: 'int64' },
  float32: { format: 'float' },
  float64: { format: 'double', min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
};

/** Says the format of a number, and only those bounds that it does not have by it. */
export function adjustNumber(def: Checked, schema: Keywords): void {
  const names = [def.format, ...(def.checks ?? []).map(({ _zod }) => _zod.def.format)];
  const name = names.find((each) => each !== undefined && Object.hasOwn(NUMBER_FORMATS, each));
  const known = name === undefined ? undefined : NUMBER_FORMATS[name];
  if (known === undefined) return;
  schema['format'] ??= known.format;
  if (schema['minimum'] === known.min) delete schema['minimum'];
  if (schema['maximum'] === known.max) delete schema['maximum'];
}
