// One version of a kind as it stands in a definition: schema, rules, columns, subresources.
// Invariant: pure; faults are gathered, so that the author sees all of them at once.
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
  JSONSchemaProps,
} from '../../../api/generated/types.ts';
import type { JsonSchema } from './json-schema.ts';
import type { KindFault } from './kind-error.ts';
import type { SchemaValue } from './object-types.ts';
import { placeAt, placeRules, type RuleOptions } from './rule-places.ts';
import { structuralForm } from './structural-form.ts';
import { isZodSchema, jsonSchemaOfZod, mayBeLeftOut } from './zod.ts';

/** A column of `kubectl get`: a path such as `.spec.schedule`, or all that a definition may say of it. */
export type ColumnOption =
  | string
  | (Omit<CustomResourceColumnDefinition, 'name' | 'type'> & { readonly type?: string });

/** What is told of one version. */
export interface VersionOptions {
  readonly version: string;
  /** What the kind is, for `kubectl explain` and the documentation. */
  readonly description?: string;
  readonly spec: SchemaValue;
  /** With it the kind has a status, written through /status only. */
  readonly status?: SchemaValue | undefined;
  readonly rules?: RuleOptions;
  /** By their names. Types follow from the schema where they are left out. Without any there is one, Age. */
  readonly columns?: Readonly<Record<string, ColumnOption>>;
  /** With it `kubectl scale` and autoscalers work. */
  readonly scale?: CustomResourceSubresourceScale;
  /** Paths that field selectors may name, such as `.spec.node`. */
  readonly selectableFields?: readonly string[];
  /** Clients are warned of it; a text says what to use instead. */
  readonly deprecated?: boolean | string;
}

/** The version as it stands in a definition, and what is wrong with it. */
export interface FormedVersion {
  readonly version: CustomResourceDefinitionVersion;
  readonly faults: readonly KindFault[];
}

/** See FormedVersion. */
export function formVersion(options: VersionOptions): FormedVersion {
  const { version: name, scale, selectableFields } = options;
  const { schema, faults } = wholeSchema(options);
  const columns = columnsOf(options.columns ?? {}, schema);
  const subresources = {
    ...(options.status && { status: {} }),
    ...(scale && { scale: { ...scale } }),
  };
  const version: CustomResourceDefinitionVersion = {
    name,
    served: true,
    storage: true,
    ...deprecation(options.deprecated),
    schema: { openAPIV3Schema: schema },
    ...(Object.keys(subresources).length > 0 && { subresources }),
    ...(columns.length > 0 && { additionalPrinterColumns: columns }),
    ...(selectableFields && {
      selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })),
    }),
  };
  return { version, faults };
}

/** How a version is marked as one that is to go. */
export function deprecation(
  deprecated: boolean | string | undefined,
): Pick<CustomResourceDefinitionVersion, 'deprecated' | 'deprecationWarning'> {
  if (deprecated === undefined || deprecated === false) return {};
  return {
    deprecated: true,
    ...(typeof deprecated === 'string' && { deprecationWarning: deprecated }),
  };
}

function wholeSchema(options: VersionOptions) {
  const { description, rules = {}, spec, status } = options;
  const formed = formedPart(spec, 'spec');
  const state = status === undefined ? undefined : formedPart(status, 'status');
  const schema: JSONSchemaProps = {
    type: 'object',
    ...(description !== undefined && { description }),
    properties: { spec: formed.schema, ...(state && { status: state.schema }) },
    ...(!mayBeAbsent(spec, formed.schema) && { required: ['spec'] }),
  };
  const faults = [...formed.faults, ...(state?.faults ?? [])];
  return { schema, faults: [...faults, ...placeRules(schema, rules)] };
}

function formedPart(value: SchemaValue, path: string) {
  const foreign = foreignSchema(value);
  if (foreign !== undefined) return { schema: {}, faults: [{ path, message: foreign }] };
  if (!isZodSchema(value)) return structuralForm(value, path);
  const { schema, faults } = jsonSchemaOfZod(value, path);
  const formed = structuralForm(schema as JsonSchema, path);
  // What zod could not say left a hole, of which nothing further is to be told.
  const known = new Set(faults.map((fault) => fault.path));
  return {
    schema: formed.schema,
    faults: [...faults, ...formed.faults.filter((fault) => !known.has(fault.path))],
  };
}

/** Why it is neither of the schemas that are read. */
function foreignSchema(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return 'must be given: a schema of zod 4, or JSON Schema';
  if (isZodSchema(value) || !('~standard' in value || '_def' in value)) return undefined;
  return 'this is a schema of zod 3 or of another library; use one of zod 4, or JSON Schema';
}

function mayBeAbsent(spec: SchemaValue, formed: JSONSchemaProps): boolean {
  return formed.default !== undefined || (isZodSchema(spec) && mayBeLeftOut(spec));
}

function columnsOf(
  columns: Readonly<Record<string, ColumnOption>>,
  schema: JSONSchemaProps,
): CustomResourceColumnDefinition[] {
  return Object.entries(columns).map(([name, option]) => {
    const column = typeof option === 'string' ? { jsonPath: option } : option;
    return { name, type: column.type ?? columnType(schema, column.jsonPath), ...column };
  });
}

/** By what stands at the path; a text where that is not plain. */
function columnType(schema: JSONSchemaProps, jsonPath: string): string {
  if (/^\.metadata\.(creation|deletion)Timestamp$/.test(jsonPath)) return 'date';
  const found = placeAt(schema, jsonPath);
  if ('fault' in found) return 'string';
  const { format, type = '' } = found.place;
  if (format === 'date-time') return 'date';
  return ['boolean', 'integer', 'number'].includes(type) ? type : 'string';
}
