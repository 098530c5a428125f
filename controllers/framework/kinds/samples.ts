// Objects of a kind made from its schema, for tests of converters and for documentation.
// Invariant: what comes out is valid, rules included; the same randomness gives the same objects.
import type { JSONSchemaProps } from '../../../api/generated/types.ts';
import { apiVersionOf } from '../../../api/kind-ref.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { isSchema } from '../../../api/schema/structural/sayings.ts';
import { patternOf } from '../../../api/schema/structural/structural.ts';
import type { Random } from '../../../base/random.ts';
import { KindError } from './kind-error.ts';
import type { KindRules } from './kind-rules.ts';
import { between, matchingText, oneOf } from './matching-text.ts';

/** Objects that are made and thrown away before it is given up: rules may allow few of what the schema does. */
export const MAX_SAMPLE_TRIES = 500;
/** Texts that are made for one field before the last of them is taken. */
export const MAX_TEXT_TRIES = 50;
/** Items of a list beyond the fewest. */
const MORE_ITEMS = 2;
/** Characters of a text beyond the fewest. */
const MORE_CHARS = 8;

/** A valid object. Throws KindError where none is found, with what was wrong with the last one. */
export function sampleOf(rules: KindRules, random: Random): KubeObject {
  let last: readonly { field: string; message: string }[] = [];
  const { kind, namespaced } = rules.resource.ref;
  for (let i = 0; i < MAX_SAMPLE_TRIES; i++) {
    const content = valueOf(rules.schema, random) as Record<string, unknown>;
    const metadata = { name: matchingText('[a-z]{3,8}', random) };
    const object = rules.withDefaults({
      ...content,
      apiVersion: apiVersionOf(rules.resource.ref),
      kind,
      metadata: namespaced ? { ...metadata, namespace: 'default' } : metadata,
    });
    last = rules.errors(object);
    if (last.length === 0) return object;
  }
  const faults = last.map(({ field, message }) => ({
    path: field,
    message: `${message} (give the field an example: .meta({ examples: [ … ] }))`,
  }));
  throw new KindError(`no valid ${kind} in ${MAX_SAMPLE_TRIES} tries; the last one`, faults);
}

const chance = (random: Random, of: number): boolean => random.next() < of;

function valueOf(schema: JSONSchemaProps, random: Random): unknown {
  if (schema.nullable && chance(random, 0.1)) return null;
  if (schema.example !== undefined && chance(random, 0.7)) return schema.example;
  if (schema.enum) return oneOf(random, schema.enum);
  if (schema['x-kubernetes-int-or-string'])
    return chance(random, 0.5) ? between(random, 0, 9) : textOf(schema, random);
  switch (schema.type) {
    case 'boolean':
      return chance(random, 0.5);
    case 'integer':
    case 'number':
      return numberOf(schema, random);
    case 'string':
      return textOf(schema, random);
    case 'array':
      return listOf(schema, random);
    case 'object':
      return fieldsOf(schema, random);
    default:
      return oneOf(random, [1, 'any', true]);
  }
}

function numberOf(schema: JSONSchemaProps, random: Random): number {
  const step = schema.multipleOf ?? 1;
  const { exclusiveMaximum, exclusiveMinimum } = schema;
  const least = schema.minimum ?? Math.min(0, schema.maximum ?? 0);
  const lowest = Math.ceil(least / step) * step;
  const first = exclusiveMinimum && lowest === least ? lowest + step : lowest;
  const most = Math.min(schema.maximum ?? first + 100 * step, first + 100 * step);
  const steps = Math.max(0, Math.floor((most - first) / step));
  const last = exclusiveMaximum && first + steps * step === schema.maximum ? steps - 1 : steps;
  return first + between(random, 0, Math.max(0, last)) * step;
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  byte: ['', 'YQ==', 'YWJj'],
  cidr: ['10.0.0.0/8', '2001:db8::/32'],
  date: ['2026-01-02', '2024-02-29'],
  'date-time': ['2026-01-02T03:04:05Z', '2024-02-29T23:59:59+02:00'],
  duration: ['1h30m0s', '5m0s', '300ms'],
  email: ['a@example.com'],
  hostname: ['a.example.com'],
  ipv4: ['10.1.2.3'],
  ipv6: ['2001:db8::1'],
  mac: ['00:1a:2b:3c:4d:5e'],
  uri: ['https://example.com/a'],
  uuid: ['123e4567-e89b-42d3-a456-426614174000'],
};

function textOf(schema: JSONSchemaProps, random: Random): string {
  const { format = '', maxLength = Infinity, minLength = 0 } = schema;
  const said = [schema.pattern, ...(schema.allOf ?? []).map((part) => part.pattern)];
  const patterns = said.flatMap((pattern) => (pattern ? [patternOf(pattern)] : []));
  const fits = (text: string) =>
    text.length >= minLength && text.length <= maxLength && patterns.every((one) => one.test(text));
  const known = (Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined) ?? [];
  const fitting = known.filter(fits);
  if (fitting.length > 0) return oneOf(random, fitting);
  if (patterns.length === 0) {
    const length = between(random, minLength, Math.min(maxLength, minLength + MORE_CHARS));
    return matchingText(`[a-z]{${length}}`, random);
  }
  let text = '';
  for (let i = 0; i < MAX_TEXT_TRIES && !fits(text); i++)
    text = matchingText(oneOf(random, patterns).text, random);
  return text;
}

function listOf(schema: JSONSchemaProps, random: Random): unknown[] {
  const { items, maxItems = Infinity, minItems = 0 } = schema;
  if (!isSchema(items)) return [];
  const length = between(random, minItems, Math.min(maxItems, minItems + MORE_ITEMS));
  const made = Array.from({ length }, () => valueOf(items, random));
  const seen = new Set<string>();
  return made.filter((item) => {
    const key = identityOf(item, schema);
    const known = key !== undefined && seen.has(key);
    if (key !== undefined) seen.add(key);
    return !known;
  });
}

/** What may stand once only in a set or a keyed list. */
function identityOf(item: unknown, schema: JSONSchemaProps): string | undefined {
  if (schema['x-kubernetes-list-type'] === 'set') return JSON.stringify(item);
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined;
  const { properties = {} } = schema.items as JSONSchemaProps;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const fields = item as Record<string, unknown>;
  return JSON.stringify(keys.map((key) => fields[key] ?? properties[key]?.default));
}

function fieldsOf(schema: JSONSchemaProps, random: Random): Record<string, unknown> {
  if (schema['x-kubernetes-embedded-resource'])
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'embedded' } };
  const { additionalProperties, properties = {}, required = [] } = schema;
  const made: [string, unknown][] = Object.entries(properties)
    .filter(([name]) => required.includes(name) || chance(random, 0.6))
    .map(([name, part]) => [name, valueOf(part, random)]);
  if (isSchema(additionalProperties)) {
    const least = schema.minProperties ?? 0;
    const count = Math.min(
      schema.maxProperties ?? Infinity,
      between(random, least, least + MORE_ITEMS),
    );
    for (let i = 0; i < count; i++) made.push([`key${i}`, valueOf(additionalProperties, random)]);
  }
  return Object.fromEntries(made);
}
