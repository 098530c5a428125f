// The OpenAPI v2 document of the whole API, for older clients. The same endpoints, in the older
// grammar. Invariant: pure; what v2 cannot say (a choice of types) becomes the text form, as
// clients expect.
import type { OpenAPIV2 } from 'openapi-types';
import { endpointsOf, inOrderOfPath } from './endpoints.ts';
import type { ApiOperation, Endpoint, ServedResource } from './endpoints.ts';
import { PATCH_SCHEMA } from './openapi-v3.ts';
import { closureSteps, customSchemasOf, wholeOf } from './schema-closure.ts';
import { refName } from './schema.ts';
import type { Schema } from './schema.ts';

type SchemaV2 = Record<string, unknown>;

/** The document, with Kubernetes' extensions. */
export interface OpenApiV2Document extends Omit<OpenAPIV2.Document, 'definitions' | 'paths'> {
  readonly paths: Record<string, Record<string, unknown>>;
  readonly definitions: Record<string, SchemaV2>;
}

/** The document of all these kinds. */
export function openApiV2(
  resources: readonly ServedResource[],
  serverVersion: string,
): OpenApiV2Document {
  return wholeOf(openApiV2Steps(resources, serverVersion));
}

/** The same in steps, a kind, path or schema each: with hundreds of kinds all of them take the better part of a second. */
export function* openApiV2Steps(
  resources: readonly ServedResource[],
  serverVersion: string,
): Generator<void, OpenApiV2Document> {
  const endpoints: Endpoint[] = [];
  const custom = new Map<string, Schema>();
  for (const resource of resources) {
    endpoints.push(...endpointsOf([resource]));
    for (const [name, schema] of customSchemasOf([resource])) custom.set(name, schema);
    yield;
  }
  const paths: OpenApiV2Document['paths'] = {};
  for (const endpoint of inOrderOfPath(endpoints)) {
    paths[endpoint.path] = pathItem(endpoint);
    yield;
  }
  const definitions: OpenApiV2Document['definitions'] = {};
  const schemas = yield* closureSteps(namesIn(endpoints), custom);
  for (const [name, schema] of Object.entries(schemas)) {
    definitions[name] = toV2(schema);
    yield;
  }
  definitions[PATCH_SCHEMA] = {
    description: 'A patch, in the form that its content type names.',
    type: 'object',
  };
  const info = { title: 'Kubernetes', version: serverVersion };
  return { swagger: '2.0', info, paths, definitions };
}

/** The document as JSON, in steps of a path or schema each. */
export function* openApiV2Json(document: OpenApiV2Document): Generator<void, Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let before = '{';
  for (const [key, value] of Object.entries(document)) {
    const head = `${before}${JSON.stringify(key)}:`;
    if (key === 'paths' || key === 'definitions') {
      chunks.push(Buffer.from(`${head}{`));
      yield* entriesInto(chunks, value as object);
      chunks.push(Buffer.from('}'));
    } else chunks.push(Buffer.from(`${head}${JSON.stringify(value)}`));
    before = ',';
  }
  chunks.push(Buffer.from('}\n'));
  return chunks;
}

function* entriesInto(chunks: Uint8Array[], entries: object): Generator<void, void> {
  let before = '';
  for (const [key, value] of Object.entries(entries)) {
    chunks.push(Buffer.from(`${before}${JSON.stringify(key)}:${JSON.stringify(value)}`));
    before = ',';
    yield;
  }
}

/** The schemas that they name. */
function namesIn(endpoints: readonly Endpoint[]): string[] {
  return endpoints
    .flatMap(({ operations }) => operations.flatMap(({ request, response }) => [request, response]))
    .filter((name) => name !== undefined);
}

/** A schema in the grammar of v2: references take siblings, and there is no oneOf. */
export function toV2(schema: Schema): SchemaV2 {
  const {
    $ref: _ref,
    allOf: _allOf,
    oneOf,
    anyOf: _anyOf,
    not: _not,
    nullable: _nullable,
    properties,
    items,
    additionalProperties,
    ...rest
  } = schema;
  const name = refName(schema);
  return {
    ...(name === undefined ? {} : ref(name)),
    ...rest,
    ...(oneOf === undefined || rest.type !== undefined ? {} : { type: 'string' }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, value]) => [key, toV2(value)]),
          ),
        }),
    ...(items === undefined ? {} : { items: toV2(items) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: toV2(additionalProperties) }),
  };
}

function ref(name: string): { $ref: string } {
  return { $ref: `#/definitions/${name}` };
}

function pathItem({ path, tag, operations }: Endpoint): Record<string, unknown> {
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    type: 'string',
    uniqueItems: true,
  }));
  return {
    ...(named.length > 0 ? { parameters: named } : {}),
    ...Object.fromEntries(
      operations.map((operation) => [operation.method, operationObject(operation, tag)]),
    ),
  };
}

function operationObject(operation: ApiOperation, tag: string): Record<string, unknown> {
  const { operationId, description, query, action, gvk, method, request, response } = operation;
  const bodyName = method === 'patch' ? PATCH_SCHEMA : request;
  const body = {
    name: 'body',
    in: 'body',
    required: method !== 'delete',
    schema: bodyName === undefined ? {} : ref(bodyName),
  };
  const ok = {
    description: 'OK',
    schema: response === undefined ? { type: 'string' } : ref(response),
  };
  return {
    tags: [tag],
    description,
    operationId,
    consumes: operation.patchTypes ?? ['application/json', 'application/yaml'],
    produces: [response === undefined ? 'text/plain' : 'application/json'],
    schemes: ['https'],
    parameters: [
      ...(bodyName === undefined ? [] : [body]),
      ...query.map(({ name, type, description: about }) => ({
        name,
        in: 'query',
        type,
        uniqueItems: true,
        description: about,
      })),
    ],
    responses: {
      '200': ok,
      ...(action === 'post' ? { '201': { ...ok, description: 'Created' } } : {}),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  };
}
