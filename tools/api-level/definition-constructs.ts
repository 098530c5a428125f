// What a CustomResourceDefinition can say, from the public reference of apiextensions.k8s.io/v1, and which tests hold us to it.
// Invariant: which sample of crds/ says a thing is looked up in the samples, and a test that is named is there.
import type { CustomResourceDefinition, JSONSchemaProps } from '../../api/generated/types.ts';
import { isSchema } from '../../api/schema/structural/sayings.ts';

/** One of them. */
export interface Construct {
  readonly what: string;
  /** How `saidBy` puts it; undefined for what no definition says by itself. */
  readonly said?: string;
  /** Test files below test/ or beside their source, with the words by which the test is found in them. */
  readonly tests: readonly (readonly [file: string, words: string])[];
}

const SAMPLES = ['test/integration/crds.test.ts', 'and takes its right object as it is'] as const;
const REFUSALS = ['test/integration/crds.test.ts', 'with every broken rule named'] as const;
const DEFAULTS = ['test/integration/crds.test.ts', 'are defaults, at every depth'] as const;
const RULES = ['test/integration/custom-resources-rules.test.ts', 'Rules of objects'] as const;
const served = (words: string) => ['test/integration/custom-resources.test.ts', words] as const;
const changed = (words: string) =>
  ['test/integration/custom-resources-definitions.test.ts', words] as const;
const kubectl = (words: string) => ['test/clients/crds.test.ts', words] as const;
const value = (words: string) => ['api/schema/structural/structural.test.ts', words] as const;
const definition = (words: string) => ['api/apiextensions/apiextensions.test.ts', words] as const;

/** A keyword whose breach a wrong object shows. */
const rule = (what: string): Construct => ({
  what: `\`${what}\``,
  said: what,
  tests: [REFUSALS, value('Values')],
});
const keyword = (what: string, ...tests: Construct['tests']): Construct => ({
  what: `\`${what}\``,
  said: what.replaceAll(': ', '='),
  tests,
});

/** All of them, in the order of the reference. */
export const CONSTRUCTS: readonly Construct[] = [
  keyword('scope: Namespaced', SAMPLES),
  keyword('scope: Cluster', SAMPLES),
  keyword('shortNames', kubectl('is listed by its columns, under each of its names')),
  keyword('categories', kubectl('is listed by its columns, under each of its names')),
  { what: 'names accepted, `Established`', tests: [changed('share no name with others')] },
  {
    what: 'several versions, one of them stored',
    said: 'versions',
    tests: [
      served('are served in every served version'),
      ['test/clients/custom-resources-versions.test.ts', 'A kind of two versions'],
    ],
  },
  keyword('served: false', ['test/integration/crds.test.ts', 'not of one that is not served']),
  keyword('deprecated: true', kubectl('read in each version that is served')),
  keyword('deprecationWarning', kubectl('read in each version that is served')),
  {
    what: '`status.storedVersions`',
    tests: [definition('list the versions that objects were stored in')],
  },
  keyword('conversion: None', served('are served in every served version')),
  {
    what: '`conversion: Webhook`',
    tests: [['test/integration/custom-resources-conversion.test.ts', 'Conversion by webhook']],
  },
  keyword('additionalPrinterColumns', kubectl('is listed by its columns')),
  keyword('selectableFields', kubectl('are selected by the fields')),
  keyword('subresources.status', kubectl('have a status of their own')),
  keyword('subresources.scale', kubectl('are scaled where their definition says')),
  ...['type', 'required', 'enum', 'pattern', 'format', 'minLength', 'maxLength'].map(rule),
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'].map(rule),
  ...['minItems', 'maxItems', 'minProperties', 'maxProperties'].map(rule),
  ...['additionalProperties', 'allOf', 'anyOf', 'oneOf', 'not'].map(rule),
  keyword('default', DEFAULTS, [
    'test/integration/custom-resources-stored.test.ts',
    'the defaults that came later',
  ]),
  keyword('nullable', DEFAULTS, value('Unknown fields and defaults')),
  keyword('description', kubectl('is explained with every field')),
  keyword('title', SAMPLES),
  keyword('example', SAMPLES),
  keyword('externalDocs', SAMPLES),
  keyword('x-kubernetes-preserve-unknown-fields', served('keep what it leaves open'), [
    'api/fieldset/structural-type.test.ts',
    'Fields that a schema lets stand without naming them',
  ]),
  keyword('x-kubernetes-embedded-resource', REFUSALS, [
    'test/integration/custom-resources-embedded.test.ts',
    'Embedded objects',
  ]),
  keyword('x-kubernetes-int-or-string', REFUSALS, value('Values')),
  keyword('x-kubernetes-list-type: atomic', kubectl('as a whole where they are atomic')),
  keyword('x-kubernetes-list-type: set', REFUSALS, value('Sets and keyed lists')),
  keyword('x-kubernetes-list-type: map', REFUSALS, kubectl('are owned item by item')),
  keyword('x-kubernetes-list-map-keys', REFUSALS, kubectl('are owned item by item')),
  keyword('x-kubernetes-map-type: atomic', SAMPLES, definition('Schemas of custom resources')),
  keyword('x-kubernetes-map-type: granular', SAMPLES, definition('Schemas of custom resources')),
  keyword('x-kubernetes-validations', REFUSALS, RULES),
  ...['message', 'messageExpression', 'reason', 'fieldPath'].map((part) =>
    keyword(`x-kubernetes-validations.${part}`, RULES),
  ),
  keyword('x-kubernetes-validations.optionalOldSelf', [
    'test/integration/crds.test.ts',
    'are not taken away',
  ]),
  { what: 'schemas that are not structural', tests: [definition('Schemas of custom resources')] },
  { what: 'pruning', tests: [served('lose what their schema does not know')] },
  {
    what: 'ratcheting',
    tests: [
      changed('that were stored under an older schema may be changed elsewhere'),
      ['test/integration/custom-resources-rules.test.ts', 'let be what was stored before'],
    ],
  },
  {
    what: 'deletion of the objects with the definition',
    tests: [changed('go with their definition')],
  },
  {
    what: 'discovery and OpenAPI',
    tests: [
      served('are told of in version 3 of OpenAPI'),
      kubectl('is explained with every field'),
    ],
  },
  {
    what: 'watches and informers across a change of the schema',
    tests: [
      served('are watched until their kind changes or goes'),
      ['test/integration/custom-resources-informers.test.ts', 'it('],
    ],
  },
];

/** What a definition says: `keyword`, `keyword=value` for texts and truths, `keyword.part` for what is in it. */
export function saidBy({ spec }: CustomResourceDefinition): ReadonlySet<string> {
  const said = new Set<string>([`scope=${spec.scope}`]);
  const say = (key: string, what: unknown) => {
    if (what === undefined) return;
    said.add(key);
    if (typeof what === 'string' || typeof what === 'boolean') said.add(`${key}=${what}`);
  };
  say('shortNames', spec.names.shortNames);
  say('categories', spec.names.categories);
  say('conversion', spec.conversion?.strategy);
  if (spec.versions.length > 1) said.add('versions');
  for (const { schema, subresources = {}, ...version } of spec.versions) {
    for (const [key, what] of Object.entries(version)) say(key, what);
    for (const key of Object.keys(subresources)) said.add(`subresources.${key}`);
    sayOfSchema(schema?.openAPIV3Schema ?? {}, say);
  }
  return said;
}

function sayOfSchema(schema: JSONSchemaProps, say: (key: string, what: unknown) => void): void {
  for (const [key, what] of Object.entries(schema)) say(key, what);
  for (const part of schema['x-kubernetes-validations'] ?? [])
    for (const key of Object.keys(part)) say(`x-kubernetes-validations.${key}`, {});
  const { properties = {}, items, additionalProperties: additional, not } = schema;
  const { allOf = [], anyOf = [], oneOf = [] } = schema;
  for (const part of [
    ...Object.values(properties),
    items,
    additional,
    not,
    ...allOf,
    ...anyOf,
    ...oneOf,
  ])
    if (isSchema(part)) sayOfSchema(part, say);
}
