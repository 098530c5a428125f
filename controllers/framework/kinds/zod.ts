// The one file that knows zod: its schemas as JSON Schema, and what of them no server could hold an object to.
// Invariant: nothing is dropped without a word; what a definition cannot say is a fault with the way to say it.
import { toJSONSchema, z } from 'zod';
import type { JsonSchema } from './json-schema.ts';
import type { KindFault } from './kind-error.ts';
import { adjustNumber, adjustText, type FormatDef } from './zod-formats.ts';

export { z };

/** What every schema of zod 4 is, whichever copy of it made it. */
export interface ZodSchema {
  readonly _zod: { readonly input: unknown; readonly output: unknown };
}

/** Is it a schema of zod, and no JSON Schema? */
export function isZodSchema(value: unknown): value is ZodSchema {
  return typeof value === 'object' && value !== null && '_zod' in value;
}

/** May an object do without the field? So it is with .optional(), and where there is a default. */
export function mayBeLeftOut(schema: ZodSchema): boolean {
  return (schema._zod as { readonly optin?: unknown }).optin === 'optional';
}

/** The schema of what is written, defaults not yet filled in; `path` is where it stands in the object. */
export function jsonSchemaOfZod(
  schema: ZodSchema,
  path: string,
): { readonly schema: JsonSchema; readonly faults: readonly KindFault[] } {
  const faults = new Map<string, KindFault>();
  const made = toJSONSchema(schema as unknown as z.ZodType, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema, path: steps }) {
      const node: ZodNode = zodSchema as unknown as ZodNode;
      const at = `${path}${placeOf(steps)}`;
      for (const message of faultsOf(node)) faults.set(`${at} ${message}`, { path: at, message });
      adjust(node, jsonSchema as Keywords);
    },
  });
  return { schema: made as JsonSchema, faults: [...faults.values()] };
}

/** The author's path of a place in a JSON Schema. */
function placeOf(steps: readonly (string | number)[]): string {
  let text = '';
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i];
    if (step === 'properties') text += `.${steps[++i]}`;
    else if (step === 'items') text += '[]';
    else if (step === 'additionalProperties') text += '{}';
  }
  return text;
}

/** What this file reads of a zod schema: the part of its innards that zod documents for libraries. */
interface ZodNode {
  readonly _zod: {
    readonly def: FormatDef & {
      readonly type: string;
      readonly coerce?: boolean;
      readonly keyType?: ZodNode;
      readonly checks?: readonly ZodCheck[];
    };
  };
}

interface ZodCheck {
  readonly _zod: { readonly def: FormatDef & { readonly check: string } };
}

type Keywords = Record<string, unknown>;

const STORED_AS_WRITTEN =
  'objects are stored as they are written; take it out, and do this where the object is read';

/** Types of zod that no definition can say, and what can be said instead. */
const UNSAYABLE: Readonly<Record<string, string>> = {
  bigint: 'z.bigint() has no form in JSON; use z.int(), an int64',
  catch: 'z.catch() has no form in a definition: a server refuses what is wrong; use .default(…)',
  custom:
    'z.custom() and z.instanceof() run code that no server has; use a schema of zod and a CEL rule (rules: { … })',
  date: 'z.date() has no form in JSON; use z.iso.datetime(), a text',
  file: 'z.file() has no form in JSON; use z.base64() or name a ConfigMap',
  function: 'z.function() has no form in JSON',
  intersection:
    'z.intersection() cannot be told field by field; use z.object({ ...a.shape, ...b.shape })',
  lazy: 'a schema that refers to itself has no end in a definition; use anything() there, and check it where it is read',
  map: 'z.map() has no form in JSON; use z.record(z.string(), …)',
  nan: 'z.nan() has no form in JSON',
  never: 'z.never() allows no value; leave the field out',
  pipe: `z.transform(), z.pipe(), z.preprocess(), z.codec() and z.stringbool() change values: ${STORED_AS_WRITTEN}`,
  promise: 'z.promise() has no form in JSON',
  set: 'z.set() has no form in JSON; use listSet(…), a list without repetitions',
  success: 'z.success() has no form in a definition',
  symbol: 'z.symbol() has no form in JSON',
  transform: `z.transform() changes values: ${STORED_AS_WRITTEN}`,
  tuple: 'z.tuple() has no form in a definition; use z.object({ … }) with a name for each place',
  undefined: 'z.undefined() has no form in JSON; use .optional()',
  void: 'z.void() has no form in JSON; leave the field out',
};

function* faultsOf({ _zod: { def } }: ZodNode): Generator<string> {
  const unsayable = Object.hasOwn(UNSAYABLE, def.type) ? UNSAYABLE[def.type] : undefined;
  if (unsayable !== undefined) yield unsayable;
  if (def.coerce)
    yield `z.coerce changes values: ${STORED_AS_WRITTEN}; intOrString() takes numbers and texts`;
  if (def.type === 'record' && def.keyType) yield* keyFaults(def.keyType);
  if (def.format === 'duration' && def.type === 'string')
    yield 'z.iso.duration() is not how Kubernetes writes durations; use duration(), such as 1h30m';
  if (def.format === 'datetime') yield* momentFaults(def);
  for (const check of def.checks ?? []) yield* checkFaults(check);
}

function* momentFaults({ local }: FormatDef): Generator<string> {
  if (local)
    yield 'z.iso.datetime({ local: true }) takes moments without a zone, which no server does; use timestamp()';
}

function* checkFaults({ _zod: { def } }: ZodCheck): Generator<string> {
  if (def.format === 'datetime') yield* momentFaults(def);
  if (def.check === 'custom')
    yield 'refine(), superRefine() and check() run code that no server has; say it in CEL: rules: { "PATH": "self …" }';
  if (def.check === 'overwrite')
    yield `trim(), toLowerCase() and their like change values: ${STORED_AS_WRITTEN}, or refuse with .regex(…) or .lowercase()`;
  const flags = def.pattern?.flags.replaceAll(/[uvgy]/g, '') ?? '';
  if (flags !== '')
    yield `${String(def.pattern)}: a definition's patterns have no flags; write it without "${flags}", or as a CEL rule: self.matches('(?${flags})…')`;
}

function* keyFaults({ _zod: { def } }: ZodNode): Generator<string> {
  if (def.type === 'enum' || def.type === 'literal')
    yield 'a record of known keys is an object; use z.object({ … }) with a field for each';
  else if (def.type !== 'string' || def.format !== undefined || (def.checks?.length ?? 0) > 0)
    yield 'keys of a record are any texts in a definition; use z.record(z.string(), …) and a CEL rule: self.all(key, …)';
}

function adjust({ _zod: { def } }: ZodNode, schema: Keywords): void {
  if (def.type === 'string') adjustText(def, schema);
  if (def.type === 'number') adjustNumber(def, schema);
  // Whatever is unknown is dropped by the server: to be strict is no rule of a definition.
  if (def.type === 'object' && schema['additionalProperties'] === false)
    delete schema['additionalProperties'];
}
