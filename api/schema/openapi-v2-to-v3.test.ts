// OpenAPI v2 turned into v3: what this server says of its own kinds in both comes to the same; what has no form does no harm.
import { describe, expect, it } from 'vitest';
import { builtInDefinitions } from '../scheme.ts';
import { openApiV2, type OpenApiV2Document } from './openapi-v2.ts';
import { MAX_MEDIA_TYPES, openApiV3Of } from './openapi-v2-to-v3.ts';
import { openApiV3, type OpenApiV3Document } from './openapi-v3.ts';

interface Operation {
  readonly parameters: readonly { name: string; in: string; schema: { type: string } }[];
  readonly requestBody?: { readonly content: Record<string, { schema: object }> };
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** What both forms can say of each operation. */
function told({ paths }: OpenApiV3Document) {
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method] as unknown as Operation | undefined;
      if (!operation) return [];
      const { parameters, requestBody, responses, ...rest } = operation;
      const bodies = [requestBody?.content, responses['200']?.content].map(
        (content) => Object.values(content ?? {})[0]?.schema,
      );
      const named = parameters.map(({ name, in: place, schema }) => [name, place, schema.type]);
      return [[path, method, rest, named, bodies, Object.keys(responses)]];
    }),
  );
}

const resources = builtInDefinitions.filter(({ ref }) => ref.group === 'apps');
const own = openApiV3(resources, 'v1');
const turned = openApiV3Of(openApiV2(resources, 'v1'));

/** References and names of fields, wherever they are; the own document wraps some to describe them. */
const names = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(names);
  if (typeof value !== 'object' || value === null) return undefined;
  const { oneOf: _o, description: _d, allOf, ...rest } = value as Record<string, unknown>;
  if (Array.isArray(allOf)) return names({ ...rest, ...allOf[0] });
  return Object.fromEntries(
    Object.entries(rest).map(([key, each]) => [key, key === '$ref' ? each : names(each)]),
  );
};

describe('OpenAPI v2 in v3', () => {
  it('says the same of every operation as the document that was made in v3', () => {
    expect(told(turned)).toEqual(told(own));
    expect(told(turned).length).toBeGreaterThan(50);
  });

  it('has every type with its fields, kinds and references', () => {
    const pod = 'io.k8s.api.core.v1.PodSpec';
    expect(Object.keys(turned.components.schemas)).toEqual(Object.keys(own.components.schemas));
    const spec = turned.components.schemas[pod]?.properties ?? {};
    expect(names(spec)).toEqual(names(own.components.schemas[pod]?.properties));
    const deployment = turned.components.schemas['io.k8s.api.apps.v1.Deployment'];
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment' };
    expect(deployment?.['x-kubernetes-group-version-kind']).toEqual([kind]);
  });

  it('leaves a field that is called as a keyword what it is', () => {
    const { components } = openApiV3Of(
      partOf({ A: { properties: { $ref: { type: 'string' }, properties: { type: 'integer' } } } }),
    );
    expect(components.schemas['A']?.properties).toEqual({
      $ref: { type: 'string' },
      properties: { type: 'integer' },
    });
  });

  it('leaves out what has no form, and repeats a schema for so many media types only', () => {
    const consumes = Array.from({ length: MAX_MEDIA_TYPES + 5 }, (_, i) => `a/${i}`);
    const parameters = [
      { name: 'body', in: 'body', schema: { type: 'object' } },
      7,
      { in: 'query' },
    ];
    const { paths, components } = openApiV3Of({
      ...partOf({ A: 'text', B: { items: 7, properties: [] } } as never),
      paths: {
        '/a': { post: { consumes, parameters, responses: 7 }, get: 'no', parameters: 'none' },
        '/b': 'no' as never,
      },
    });
    expect(Object.keys(paths)).toEqual(['/a']);
    const { post } = paths['/a'] ?? {};
    const { requestBody, ...rest } = (post ?? {}) as unknown as Operation;
    expect(rest).toEqual({ parameters: [], responses: {} });
    expect(Object.keys(requestBody?.content ?? {})).toEqual(consumes.slice(0, MAX_MEDIA_TYPES));
    expect(components.schemas).toEqual({ B: { items: 7, properties: [] } });
  });
});

const partOf = (definitions: OpenApiV2Document['definitions']): OpenApiV2Document => ({
  swagger: '2.0',
  info: { title: 'Kubernetes', version: '' },
  paths: {},
  definitions,
});
