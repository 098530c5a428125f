// A kind's documentation in Markdown: every field with its type, its default and what is said of it, and the rules.
// Invariant: made of the definition alone, so it says what the server does.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '../../../api/generated/types.ts';
import { isSchema } from '../../../api/schema/structural/sayings.ts';
import { fieldPath } from './kind-error.ts';

/** The page of a kind, all its versions in the order of the definition. */
export function referenceOf({ spec }: CustomResourceDefinition): string {
  const { group, names, scope, versions } = spec;
  const short = names.shortNames ?? [];
  const facts = [
    `API group \`${group}\``,
    scope === 'Namespaced' ? 'in namespaces' : 'of the whole cluster',
    `resource \`${names.plural}\`${short.length > 0 ? ` (${short.map((name) => `\`${name}\``).join(', ')})` : ''}`,
  ];
  const parts = versions.map((version) => versionPart(group, version));
  return [`# ${names.kind}`, `${facts.join(', ')}.`, ...parts].join('\n\n').concat('\n');
}

function versionPart(group: string, version: CustomResourceDefinitionVersion): string {
  const schema = version.schema?.openAPIV3Schema ?? {};
  const marks = [
    version.storage ? 'stored in this version' : '',
    version.served ? '' : 'not served',
    version.deprecated ? `deprecated${warning(version)}` : '',
  ].filter((mark) => mark !== '');
  const rows = [...rowsOf(schema, '')];
  const rules = [...rulesOf(schema, '')];
  return [
    `## ${group}/${version.name}`,
    ...(marks.length > 0 ? [`${capital(marks.join('; '))}.`] : []),
    ...(schema.description ? [schema.description] : []),
    ['| field | type | default | |', '|---|---|---|---|', ...rows].join('\n'),
    ...(rules.length > 0 ? [`Rules:\n\n${rules.join('\n')}`] : []),
    ...columnsPart(version),
  ].join('\n\n');
}

const warning = ({ deprecationWarning }: CustomResourceDefinitionVersion): string =>
  deprecationWarning ? ` (${deprecationWarning})` : '';
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function* rowsOf(schema: JSONSchemaProps, path: string): Generator<string> {
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    const at = fieldPath(path, name);
    yield row(part, at, schema.required?.includes(name) ?? false);
    yield* rowsBelow(part, at);
  }
}

/** What lists and maps hold has no row of its own; its fields have. */
function* rowsBelow(schema: JSONSchemaProps, path: string): Generator<string> {
  yield* rowsOf(schema, path);
  if (isSchema(schema.items)) yield* rowsBelow(schema.items, `${path}[]`);
  const { additionalProperties } = schema;
  if (isSchema(additionalProperties)) yield* rowsBelow(additionalProperties, `${path}{}`);
}

function row(schema: JSONSchemaProps, path: string, required: boolean): string {
  const said = [schema.description ?? '', bounds(schema)].filter((text) => text !== '').join(' ');
  const shown = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``;
  const preset = required ? 'required' : shown;
  return `| \`${path}\` | ${typeText(schema)} | ${cell(preset)} | ${cell(said)} |`;
}

/** A line of a table has neither line breaks nor bare bars. */
const cell = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');

/** `list of text`, `map of int32`, `"a" or "b"`. */
export function typeText(schema: JSONSchemaProps): string {
  const { additionalProperties, enum: values, format, items, type } = schema;
  const orNull = schema.nullable ? ' or null' : '';
  if (values)
    return `${values.map((value) => `\`${JSON.stringify(value)}\``).join(' or ')}${orNull}`;
  if (schema['x-kubernetes-int-or-string']) return `integer or string${orNull}`;
  if (schema['x-kubernetes-embedded-resource']) return `object of any kind${orNull}`;
  if (isSchema(items)) return `list of ${typeText(items)}${orNull}`;
  if (isSchema(additionalProperties)) return `map of ${typeText(additionalProperties)}${orNull}`;
  return `${format && type !== 'object' ? `${type} (${format})` : (type ?? 'anything')}${orNull}`;
}

type Bound =
  | 'maxItems'
  | 'maxLength'
  | 'maxProperties'
  | 'maximum'
  | 'minItems'
  | 'minLength'
  | 'minProperties'
  | 'minimum'
  | 'multipleOf'
  | 'pattern';

const BOUNDS: readonly (readonly [Bound, string])[] = [
  ['minimum', 'at least'],
  ['maximum', 'at most'],
  ['minLength', 'characters at least'],
  ['maxLength', 'characters at most'],
  ['minItems', 'items at least'],
  ['maxItems', 'items at most'],
  ['minProperties', 'entries at least'],
  ['maxProperties', 'entries at most'],
  ['multipleOf', 'a multiple of'],
  ['pattern', 'matches'],
];

function bounds(schema: JSONSchemaProps): string {
  const said = BOUNDS.flatMap(([key, words]) =>
    schema[key] === undefined ? [] : [`${words} \`${schema[key]}\``],
  );
  return said.length === 0 ? '' : `(${said.join(', ')})`;
}

function* rulesOf(schema: JSONSchemaProps, path: string): Generator<string> {
  for (const { message, rule } of schema['x-kubernetes-validations'] ?? []) {
    const at = path === '' ? 'the object' : `\`${path}\``;
    yield `- ${at}: \`${rule.replaceAll(/\s+/g, ' ')}\`${message ? ` (${message})` : ''}`;
  }
  for (const [name, part] of Object.entries(schema.properties ?? {}))
    yield* rulesOf(part, fieldPath(path, name));
  if (isSchema(schema.items)) yield* rulesOf(schema.items, `${path}[]`);
  const { additionalProperties } = schema;
  if (isSchema(additionalProperties)) yield* rulesOf(additionalProperties, `${path}{}`);
}

function columnsPart({ additionalPrinterColumns }: CustomResourceDefinitionVersion): string[] {
  if (!additionalPrinterColumns) return [];
  const names = additionalPrinterColumns.map(({ name }) => name);
  return [`Columns of \`kubectl get\`: ${names.join(', ')}.`];
}
