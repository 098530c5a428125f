// The schemas of the built-in kinds: generated from the client package, completed by list-types.ts and by those it lacks.
// Invariant: schemas are shared and never changed after loading; every $ref resolves.
import { readFileSync } from 'node:fs';
import { invariant } from '../../base/invariant.ts';
import { metricsSchemas } from '../metrics/schemas.ts';
import { addListTypes } from './list-types.ts';

/** Group, version and kind of a type that stands at the top of a document. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The part of OpenAPI v3 that the schemas use, with Kubernetes' extensions. */
export interface Schema {
  readonly description?: string;
  readonly type?: 'array' | 'boolean' | 'integer' | 'number' | 'object' | 'string';
  readonly format?: string;
  /** `#/components/schemas/<name>`; nothing else stands beside it. */
  readonly $ref?: string;
  /** One `$ref`, where a description or an extension stands beside it. */
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly not?: Schema;
  readonly nullable?: boolean;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
}

/** Schemas by upstream name, such as `io.k8s.api.core.v1.Pod`. */
export type SchemaMap = ReadonlyMap<string, Schema>;

const REF = '#/components/schemas/';
const FILE = new URL('../generated/schemas.json', import.meta.url);

let loaded: SchemaMap | undefined;

/** All schemas; read from disk at the first call. */
export function loadSchemas(): SchemaMap {
  if (loaded === undefined) {
    const all = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Schema>;
    loaded = new Map(Object.entries(addListTypes({ ...all, ...metricsSchemas })));
  }
  return loaded;
}

/** The schema of that name. A name that is not there is a fault of this program. */
export function schemaOf(name: string): Schema {
  const schema = loadSchemas().get(name);
  invariant(schema !== undefined, `there is no schema ${name}`);
  return schema;
}

/** The name of the schema that this one refers to, by `$ref` or by `allOf`, if it does. */
export function refName(schema: Schema): string | undefined {
  const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
  return ref?.startsWith(REF) ? ref.slice(REF.length) : undefined;
}

/** Follows a reference; a schema that is none comes back itself. */
export function resolve(schema: Schema): Schema {
  const name = refName(schema);
  return name === undefined ? schema : schemaOf(name);
}

/** The schema of a field of an object, or of a map's value. */
export function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  if (schema === undefined) return undefined;
  const { properties, additionalProperties } = resolve(schema);
  if (properties !== undefined && Object.hasOwn(properties, field)) return properties[field];
  return additionalProperties;
}

/** How patches merge what has this schema: `merge`, `replace`, `retainKeys`. */
export function patchStrategies(schema: Schema | undefined): string[] {
  return schema?.['x-kubernetes-patch-strategy']?.split(',') ?? [];
}
