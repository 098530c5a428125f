// What is said where in the schema of a definition: one walk of the whole, made at the first question, answers for every place.
// Invariant: pure; a place of which nothing is noted has nothing to be checked, filled in or looked for, in it or below it.
import type { JSONSchemaProps } from '../../generated/types.ts';
import { isTextFormat } from './formats.ts';

/** What may be said at a place of a schema, or below it. */
export const SAID = {
  default: 1,
  /** `x-kubernetes-validations`. */
  validations: 2,
  /** A whole object stands here. */
  embedded: 4,
  pattern: 8,
  /** More than plain fields with types: rules of schemas have to be asked. */
  remarkable: 16,
  /** A text has a format that nobody knows. */
  unknownFormat: 32,
} as const;

/** Of what is said inside value rules, this is of interest outside of them. */
const OF_RULES = SAID.pattern | SAID.remarkable;
/** Keywords that say nothing to be looked for, and those that say more than that rules of schemas are to be asked. */
const SAYINGS: ReadonlyMap<string, number> = new Map<keyof JSONSchemaProps, number>([
  ...(
    [
      'type',
      'title',
      'description',
      'properties',
      'items',
      'required',
      'format',
      'enum',
      'nullable',
      'example',
      'externalDocs',
      'minimum',
      'maximum',
      'exclusiveMinimum',
      'exclusiveMaximum',
      'multipleOf',
      'minLength',
      'maxLength',
      'minItems',
      'maxItems',
      'minProperties',
      'maxProperties',
    ] as const
  ).map((keyword): [keyof JSONSchemaProps, number] => [keyword, 0]),
  ['default', SAID.default],
  ['x-kubernetes-validations', SAID.validations],
  ['x-kubernetes-embedded-resource', SAID.embedded | SAID.remarkable],
  ['pattern', SAID.pattern | SAID.remarkable],
]);
const TYPES: ReadonlySet<unknown> = new Set([
  'array',
  'boolean',
  'integer',
  'number',
  'object',
  'string',
]);

/** Is anything of that kind said at this place of the schema `root`, or below it? */
export function says(root: JSONSchemaProps, place: JSONSchemaProps, what: number): boolean {
  return ((sayingsOf(root).get(place) ?? 0) & what) !== 0;
}

/** A place of a schema, and its path. */
export interface PlaceAt {
  readonly place: JSONSchemaProps;
  readonly path: string;
}

/**
 * Calls back for each place of a whole schema, value rules included, at which or below which anything of that kind is said: from the root down.
 * A callback and not a generator: one that hands on what others below it yield takes ten times as long.
 */
export function visitSaying(
  { place: root, path }: PlaceAt,
  what: number,
  visit: (at: PlaceAt) => void,
): void {
  const walk = (place: JSONSchemaProps, at: string): void => {
    if (!says(root, place, what)) return;
    visit({ place, path: at });
    const { properties } = place;
    for (const name in properties) {
      const part = properties[name];
      if (part !== undefined) walk(part, `${at}.properties[${name}]`);
    }
    for (const key of ['additionalProperties', 'items', 'not'] as const) {
      const part = place[key];
      if (isSchema(part)) walk(part, `${at}.${key}`);
    }
    for (const key of ['allOf', 'anyOf', 'oneOf'] as const)
      place[key]?.forEach((part, i) => walk(part, `${at}.${key}[${i}]`));
  };
  walk(root, path);
}

/** Is it a schema, and not a boolean or a list of schemas? */
export function isSchema(value: unknown): value is JSONSchemaProps {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Sayings = Map<JSONSchemaProps, number>;

const known = new WeakMap<JSONSchemaProps, Sayings>();

/** Only places that say something are kept: most of thousands say nothing. */
function sayingsOf(root: JSONSchemaProps): Sayings {
  const made = known.get(root);
  if (made) return made;
  const found: Sayings = new Map();
  look(root, found);
  known.set(root, found);
  return found;
}

function look(schema: JSONSchemaProps, found: Sayings): number {
  let said = ownSayings(schema);
  const { properties, items, additionalProperties: additional } = schema;
  for (const name in properties) {
    const part = properties[name];
    if (part !== undefined) said |= look(part, found);
  }
  if (isSchema(items)) said |= look(items, found);
  if (isSchema(additional)) said |= look(additional, found);
  if ((said & SAID.remarkable) !== 0) said |= lookIntoRules(schema, found);
  if (said !== 0) found.set(schema, said);
  return said;
}

function lookIntoRules({ allOf, anyOf, oneOf, not }: JSONSchemaProps, found: Sayings): number {
  let said = not === undefined ? 0 : look(not, found);
  for (const rules of [allOf, anyOf, oneOf]) {
    for (const rule of rules ?? []) said |= look(rule, found);
  }
  return said & OF_RULES;
}

/** Each keyword that stands there is looked at once: asking for all there are takes three times as long. */
function ownSayings(schema: JSONSchemaProps): number {
  const { type } = schema;
  let said: number = TYPES.has(type) ? 0 : SAID.remarkable;
  if (type === 'array' && !isSchema(schema.items)) said = SAID.remarkable;
  for (const keyword in schema) said |= SAYINGS.get(keyword) ?? SAID.remarkable;
  return hasUnknownFormat(schema) ? said | SAID.unknownFormat : said;
}

/** Is a text here of a format that nobody knows? */
export function hasUnknownFormat({ type, format }: JSONSchemaProps): boolean {
  return type === 'string' && Boolean(format) && !isTextFormat(format as string);
}
