// OpenAPI v2 documents in the grammar of v3, for API servers that have the older one only: what kubectl explains and validates by.
// Invariants: pure; nothing is trusted to have its form, what has none is left out; every type is there under its own name.
import type { OpenApiV2Document } from './openapi-v2.ts';
import type { OpenApiV3Document } from './openapi-v3.ts';

/** Media types of a body that are taken over; each repeats its schema. */
export const MAX_MEDIA_TYPES = 8;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];
/** Fields of a parameter that are not about its value. */
const OF_PARAMETER = new Set(['name', 'in', 'required', 'description', 'collectionFormat']);

type Json = Readonly<Record<string, unknown>>;

/** The same document in v3. */
export function openApiV3Of({ info, paths, definitions }: OpenApiV2Document): OpenApiV3Document {
  return {
    openapi: '3.0.0',
    info: info as OpenApiV3Document['info'],
    paths: mapValues(paths, pathItem) as OpenApiV3Document['paths'],
    components: {
      schemas: mapValues(definitions, schemaOf) as OpenApiV3Document['components']['schemas'],
    },
  };
}

function pathItem(item: Json): Json {
  const operations = METHODS.flatMap((method): [string, Json][] => {
    const operation = item[method];
    return isMap(operation) ? [[method, operationOf(operation)]] : [];
  });
  const parameters = parametersOf(item);
  return {
    ...(parameters.length > 0 && { parameters: parameters.flatMap(parameterOf) }),
    ...Object.fromEntries(operations),
  };
}

function operationOf(operation: Json): Json {
  const { consumes, produces, schemes: _schemes, responses, ...rest } = operation;
  const parameters = parametersOf(operation);
  const body = parameters.find((each) => each['in'] === 'body');
  const { required, schema } = body ?? {};
  return {
    ...rest,
    parameters: parameters.flatMap(parameterOf),
    ...(body && {
      requestBody: { ...(required === true && { required }), content: content(consumes, schema) },
    }),
    responses: mapValues(isMap(responses) ? responses : {}, ({ description, schema: said }) => ({
      description,
      ...(isMap(said) && { content: content(produces, said) }),
    })),
  };
}

/** Those of bodies are none in v3, and those that are shared by reference came later than v3 did. */
function parametersOf({ parameters }: Json): readonly Json[] {
  return Array.isArray(parameters) ? parameters.filter(isMap) : [];
}

function parameterOf(parameter: Json): Json[] {
  const { name, in: place, required, description } = parameter;
  if (typeof name !== 'string' || !['query', 'path', 'header'].includes(String(place))) return [];
  const entries = Object.entries(parameter).filter(([key]) => !OF_PARAMETER.has(key));
  const schema = schemaOf(Object.fromEntries(entries));
  return [
    {
      name,
      in: place,
      ...(required === true && { required }),
      ...(description !== undefined && { description }),
      schema,
    },
  ];
}

function content(types: unknown, schema: unknown): Json {
  const named = Array.isArray(types) ? types.filter((type) => typeof type === 'string') : [];
  const media = { schema: schemaOf(isMap(schema) ? schema : {}) };
  const all = named.length > 0 ? named.slice(0, MAX_MEDIA_TYPES) : ['application/json'];
  return Object.fromEntries(all.map((type) => [type, media]));
}

/** A reference takes nothing beside it in v3. */
function schemaOf(schema: Json): Json {
  const { $ref, discriminator: _discriminator, ...rest } = schema;
  const said = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, part(key, value)]),
  );
  if (typeof $ref !== 'string') return said;
  const named = { $ref: $ref.replace(/^#\/definitions\//, '#/components/schemas/') };
  return Object.keys(said).length === 0 ? named : { ...said, allOf: [named] };
}

function part(key: string, value: unknown): unknown {
  if (key === 'properties' && isMap(value)) return mapValues(value, schemaOf);
  if (key === 'allOf' && Array.isArray(value)) return value.filter(isMap).map(schemaOf);
  const holdsSchema = key === 'items' || key === 'additionalProperties';
  return holdsSchema && isMap(value) ? schemaOf(value) : value;
}

function mapValues(map: Json, make: (value: Json) => Json): Record<string, Json> {
  const entries = Object.entries(map).flatMap(([key, value]): [string, Json][] =>
    isMap(value) ? [[key, make(value)]] : [],
  );
  return Object.fromEntries(entries);
}

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
