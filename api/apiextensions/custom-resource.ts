// The kind that a CustomResourceDefinition describes, as a ResourceDefinition for each served version.
// Invariant: pure; the same path as built-in kinds is taken: what is made here is data and hooks, nothing else.
import {
  ALL_VERBS,
  type Column,
  type CustomType,
  type ResourceDefinition,
  WRITABLE_METADATA,
} from '../definition.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
} from '../generated/types.ts';
import type { FieldError } from '../field-error.ts';
import { mergeTypeOfStructural } from '../fieldset/structural-type.ts';
import { apiVersionOf } from '../kind-ref.ts';
import { parseJsonPath } from '../meta/json-path.ts';
import { nameColumn } from '../meta/columns.ts';
import { labelSelectorText } from '../meta/labels.ts';
import type { LooseObject } from '../meta/object.ts';
import { decodeAs } from '../schema/decode.ts';
import { fillDefaults } from '../schema/structural/defaults.ts';
import { pruned } from '../schema/structural/prune.ts';
import type { Structural } from '../schema/structural/structural.ts';
import { ageOf } from '../wire/human-duration.ts';
import {
  customErrors,
  customRuleErrors,
  customStatusErrors,
  customWarnings,
} from './custom-validation.ts';
import { customSchemaName, customSchemas } from './custom-schemas.ts';
import type { SchemaTrees } from './schema-trees.ts';

/** The definitions of all served versions, under the names that were accepted. Patterns and paths were checked when it was stored. */
export function customResources(
  crd: CustomResourceDefinition,
  names: CustomResourceDefinitionNames,
  trees: SchemaTrees,
): ResourceDefinition[] {
  return crd.spec.versions
    .filter(({ served }) => served)
    .map((version) => definitionOf(crd, names, { version, trees }));
}

function definitionOf(
  { metadata, spec }: CustomResourceDefinition,
  names: CustomResourceDefinitionNames,
  { version, trees }: VersionParts,
): ResourceDefinition {
  const { group, scope } = spec;
  const listKind = names.listKind ?? `${names.kind}List`;
  const ref = {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    namespaced: scope === 'Namespaced',
  };
  const structural = () => trees.of(apiVersionOf(ref)) as Structural;
  const { scale, status } = version.subresources ?? {};
  const identity = JSON.stringify([metadata.uid, metadata.generation, version.name, names]);
  const custom = customTypeOf({ ref: { ...ref, listKind }, identity, trees, structural });
  return {
    ref,
    singular: names.singular ?? '',
    listKind,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    schemaName: customSchemaName(ref),
    custom,
    verbs: ALL_VERBS,
    hasStatus: status !== undefined,
    keptByStatus: WRITABLE_METADATA,
    hasGeneration: true,
    putNeedsVersion: true,
    ...(scale && { scale: scaleAccess(scale) }),
    subresources: [],
    columns: [nameColumn, ...columnsOf(version.additionalPrinterColumns)],
    selectableFields: selectableOf(version),
    defaults: (object) => fillDefaults(object, structural()),
    validate: (object: LooseObject, old: LooseObject | undefined) =>
      customErrors(object, old, structural()),
    validateStatus: (object: LooseObject, old: LooseObject) =>
      customStatusErrors(object, old, structural()),
    validateLong: (
      object: LooseObject,
      old: LooseObject | undefined,
      errors: readonly FieldError[],
    ) => customRuleErrors({ value: object, old, schema: structural() }, errors),
    warnings: (object: LooseObject) => customWarnings(object),
    ...(version.deprecated && { deprecation: deprecation(version, ref) }),
  } as ResourceDefinition;
}

interface VersionParts {
  readonly version: CustomResourceDefinitionVersion;
  readonly trees: SchemaTrees;
}

/** Made at the first call and kept: of most kinds that are defined nobody ever writes an object. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

interface TypeParts {
  readonly ref: { group: string; version: string; kind: string; listKind: string };
  readonly identity: string;
  readonly trees: SchemaTrees;
  readonly structural: () => Structural;
}

function customTypeOf({ ref, identity, trees, structural }: TypeParts): CustomType {
  const mergeType = once(() => mergeTypeOfStructural(structural()));
  return {
    identity,
    get mergeType() {
      return mergeType();
    },
    // Not kept: they are asked for once for each document, which is.
    get schemas() {
      return customSchemas(ref, trees.schema(apiVersionOf(ref)) ?? {});
    },
    decode: (value, gvk) =>
      decodeAs(gvk, value, () => pruned(value as Record<string, unknown>, structural())),
  };
}

function deprecation(
  { deprecationWarning }: CustomResourceDefinitionVersion,
  { group, version, kind }: { group: string; version: string; kind: string },
): string {
  return deprecationWarning ?? `${group}/${version} ${kind} is deprecated`;
}

const AGE: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'How long ago the object was created.',
};

function columnsOf(
  columns: readonly CustomResourceColumnDefinition[] = [AGE],
): Column<LooseObject>[] {
  return columns.map(({ name, type, format, description, priority, jsonPath }) => {
    const path = parseJsonPath(jsonPath);
    return {
      name,
      type: type as Column<LooseObject>['type'],
      ...(format && { format }),
      description:
        description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
      ...(priority && { priority }),
      value: (object, nowMs) => cellOf(path.find(object)[0], type, nowMs),
    };
  });
}

type Cell = ReturnType<Column<LooseObject>['value']>;

/** The cell of a value; null where the value is missing or of another type. */
function cellOf(value: unknown, type: string, nowMs: number): Cell {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'date':
      return typeof value === 'string' ? ageOf(value, nowMs) : null;
    case 'integer':
      if (typeof value === 'bigint') return value;
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    default:
      return plainText(value);
  }
}

/** Texts as they are, everything else as JSON. */
function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function selectableOf({
  selectableFields = [],
}: CustomResourceDefinitionVersion): ResourceDefinition['selectableFields'] {
  return Object.fromEntries(
    selectableFields.map(({ jsonPath }) => {
      const names = jsonPath.slice(1).split('.');
      return [names.join('.'), (object) => plainText(valueAt(object, names) ?? '')];
    }),
  );
}

function valueAt(object: unknown, names: readonly string[]): unknown {
  let value = object;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function scaleAccess({
  specReplicasPath,
  statusReplicasPath,
  labelSelectorPath,
}: CustomResourceSubresourceScale): ResourceDefinition['scale'] {
  const namesOf = (path: string) => path.slice(1).split('.');
  const count = (object: unknown, path: string) => {
    const value = valueAt(object, namesOf(path));
    return typeof value === 'number' ? value : 0;
  };
  return {
    specReplicas: (object) => count(object, specReplicasPath),
    statusReplicas: (object) => count(object, statusReplicasPath),
    selector(object) {
      const found = labelSelectorPath && valueAt(object, namesOf(labelSelectorPath));
      if (typeof found === 'object' && found !== null) return labelSelectorText(found);
      return typeof found === 'string' ? found : '';
    },
    withReplicas: (object, replicas) => withValue(object, namesOf(specReplicasPath), replicas),
  } as ResourceDefinition['scale'];
}

/** The object with a value at a place; what lies on the way is copied, or made. */
function withValue<T>(object: T, [name = '', ...rest]: readonly string[], value: unknown): T {
  const base = typeof object === 'object' && object !== null ? object : {};
  const part = (base as Record<string, unknown>)[name];
  return { ...base, [name]: rest.length === 0 ? value : withValue(part, rest, value) } as T;
}
