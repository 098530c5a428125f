// OpenAPI v3 documents, one for each group and version: what kubectl reads to validate, patch and
// explain. Invariant: pure; equal kinds give equal documents, so that a digest of the text can
// stand for it.
import type { OpenAPIV3 } from 'openapi-types';
import { endpointsOf } from './endpoints.ts';
import type { ApiOperation, Endpoint, ServedResource } from './endpoints.ts';
import { closureOf, customSchemasOf } from './schema-closure.ts';
import { refName, type Schema } from './schema.ts';

/** Patches are objects (or lists, as JSON patches) of no fixed form. */
export const PATCH_SCHEMA = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';

const BODY_TYPES = ['application/json', 'application/yaml'];

/** A document with Kubernetes' extensions on operations and schemas. */
export interface OpenApiV3Document extends Omit<OpenAPIV3.Document, 'components' | 'paths'> {
  readonly paths: Record<string, OpenAPIV3.PathItemObject<GvkExtensions>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

interface GvkExtensions {
  'x-kubernetes-action': string;
  'x-kubernetes-group-version-kind': { group: string; kind: string; version: string };
}

/** The document of kinds that share a group and version. */
export function openApiV3(
  resources: readonly ServedResource[],
  serverVersion: string,
): OpenApiV3Document {
  const endpoints = endpointsOf(resources);
  const named = endpoints.flatMap(({ operations }) =>
    operations.flatMap(({ request, response }) => [request, response]),
  );
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: serverVersion },
    paths: Object.fromEntries(endpoints.map((entry) => [entry.path, pathItem(entry)])),
    components: {
      schemas: {
        ...describedRefs(
          closureOf(
            named.filter((name) => name !== undefined),
            customSchemasOf(resources),
          ),
        ),
        [PATCH_SCHEMA]: {
          description: 'A patch, in the form that its content type names.',
          type: 'object',
        },
      },
    },
  };
}

/**
 * Fields that refer to another type get that type's description, where they have none of their own: explain shows no other. The
 * client package, which the schemas come from, has none for them.
 */
function describedRefs(schemas: Record<string, Schema>): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, withDescribedFields(schema, schemas)]),
  );
}

function withDescribedFields(schema: Schema, all: Readonly<Record<string, Schema>>): Schema {
  if (schema.properties === undefined) return schema;
  const fields = Object.entries(schema.properties).map(([key, field]): [string, Schema] => {
    const description = all[refName(field) ?? '']?.description;
    if (field.$ref === undefined || description === undefined) return [key, field];
    return [key, { allOf: [{ $ref: field.$ref }], description }];
  });
  return { ...schema, properties: Object.fromEntries(fields) };
}

function pathItem({ path, tag, operations }: Endpoint): OpenAPIV3.PathItemObject<GvkExtensions> {
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(
    ([, name = '']): OpenAPIV3.ParameterObject => ({
      name,
      in: 'path',
      required: true,
      description: name === 'name' ? 'The name of the object.' : 'The namespace of the objects.',
      schema: { type: 'string', uniqueItems: true },
    }),
  );
  const item: OpenAPIV3.PathItemObject<GvkExtensions> =
    named.length > 0 ? { parameters: named } : {};
  for (const operation of operations)
    item[operation.method as 'get'] = operationObject(operation, tag);
  return item;
}

function operationObject(
  operation: ApiOperation,
  tag: string,
): OpenAPIV3.OperationObject<GvkExtensions> {
  const { operationId, description, query, action, gvk } = operation;
  const body = requestBody(operation);
  return {
    tags: [tag],
    description,
    operationId,
    parameters: query.map(({ name, type, description: about }) => ({
      name,
      in: 'query',
      description: about,
      schema: { type, uniqueItems: true },
    })),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      '200': { description: 'OK', content: responseContent(operation) },
      ...(action === 'post'
        ? { '201': { description: 'Created', content: responseContent(operation) } }
        : {}),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  };
}

function requestBody({
  method,
  patchTypes = [],
  request,
}: ApiOperation): OpenAPIV3.RequestBodyObject | undefined {
  if (method === 'patch')
    return { required: true, content: content(patchTypes, ref(PATCH_SCHEMA)) };
  if (request === undefined) return undefined;
  const media = content(method === 'delete' ? ['*/*'] : BODY_TYPES, ref(request));
  return method === 'delete' ? { content: media } : { required: true, content: media };
}

function responseContent({
  action,
  response,
}: ApiOperation): Record<string, OpenAPIV3.MediaTypeObject> {
  if (response === undefined) return content(['text/plain'], { type: 'string' });
  const types = [
    'application/json',
    ...(action === 'list' ? ['application/json;stream=watch'] : []),
  ];
  return content(types, ref(response));
}

type SchemaOrRef = OpenAPIV3.ReferenceObject | OpenAPIV3.SchemaObject;

function content(
  types: readonly string[],
  schema: SchemaOrRef,
): Record<string, OpenAPIV3.MediaTypeObject> {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function ref(name: string): OpenAPIV3.ReferenceObject {
  return { $ref: `#/components/schemas/${name}` };
}
