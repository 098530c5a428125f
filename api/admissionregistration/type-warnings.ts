// Type checking of stored policies: what their rules would not find in the kinds that they are about.
// Invariant: pure; it only tells. Names stand as in JSON, since that is how expressions reach them when they are asked.
import { type CelField, type CelType, DYN, type ObjectType } from '../cel/cel-type.ts';
import { celTypeOf, celTypeOfKind } from '../cel/schema-type.ts';
import type {
  ExpressionWarning,
  JSONSchemaProps,
  MatchResources,
  ValidatingAdmissionPolicySpec,
} from '../generated/types.ts';
import { structuralOf } from '../schema/structural/structural.ts';
import { COMPILATION_FAILED } from './compiled-expression.ts';
import { validatingExpressions } from './policy-expressions.ts';

/** Kinds that a policy is checked against; the rest of what it is about is not. Upstream's limit. */
export const MAX_CHECKED_KINDS = 10;

/** A resource that a policy names. */
export interface NamedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** The resources that rules name, in order; those with wildcards name none, and parts of objects are left out. */
export function namedResources({ resourceRules = [] }: MatchResources): readonly NamedResource[] {
  const found = resourceRules.flatMap(({ apiGroups = [], apiVersions = [], resources = [] }) => {
    if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) return [];
    const plain = resources.filter((name) => !/[*/]/.test(name)).sort();
    return [...apiGroups]
      .sort()
      .flatMap((group) =>
        [...apiVersions]
          .sort()
          .flatMap((version) => plain.map((resource) => ({ group, version, resource }))),
      );
  });
  const different = new Map(found.map((one) => [JSON.stringify(one), one]));
  return [...different.values()];
}

/** A kind by the name that warnings give it, such as `apps/v1, Kind=Deployment`, and its type. */
export interface CheckedKind {
  readonly name: string;
  readonly type: CelType;
}

/** What rules and their messages would not find in objects of one kind, by field, in the form of warnings. */
export function typeFaults(
  spec: Partial<ValidatingAdmissionPolicySpec>,
  { name, type }: CheckedKind,
  params: CelType | undefined,
): ReadonlyMap<string, string> {
  const { validations } = validatingExpressions(spec, { object: type, params });
  const expressions = validations.flatMap(({ rule, message }) =>
    message ? [rule, message] : rule,
  );
  const faulty = expressions.flatMap(({ field, compiled: { fault = '' } }) =>
    fault.startsWith(COMPILATION_FAILED)
      ? [[field, `${name}: ${fault.slice(COMPILATION_FAILED.length)}\n`] as const]
      : [],
  );
  return new Map(faulty);
}

/** The faults of several kinds as the warnings of a status, in the order of the fields. */
export function expressionWarnings(
  faults: readonly ReadonlyMap<string, string>[],
): ExpressionWarning[] {
  const fields = [...new Set(faults.flatMap((of) => [...of.keys()]))];
  const places = fields.map((field) => ({ field, index: Number(/\d+/.exec(field)?.[0]) }));
  return places
    .sort((a, b) => a.index - b.index || (a.field < b.field ? -1 : 1))
    .map(({ field: fieldRef }) => ({
      fieldRef,
      warning: faults.flatMap((of) => of.get(fieldRef) ?? []).join('\n'),
    }));
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The type of a built-in kind, by the name of its schema. */
export function typeOfBuiltIn(schemaName: string): CelType {
  return namedAsJson(celTypeOfKind(schemaName));
}

/** The type of a custom kind, by its schema; dyn where that says too little. */
export function typeOfCustom(schema: JSONSchemaProps | undefined, name: string): CelType {
  const type = schema && celTypeOf(structuralOf(schema), { name, root: true });
  if (type?.kind !== 'object') return DYN;
  const metadata = { name: 'metadata', type: celTypeOfKind(OBJECT_META) };
  return namedAsJson({ ...type, fields: new Map([...type.fields, ['metadata', metadata]]) });
}

function namedAsJson(type: CelType): CelType {
  switch (type.kind) {
    case 'object':
      return new JsonNamed(type);
    case 'list':
    case 'map':
      return { ...type, of: namedAsJson(type.of) };
    default:
      return type;
  }
}

/** The same type with its fields under their names in JSON, when they are asked for: types may contain themselves. */
class JsonNamed implements ObjectType {
  readonly kind = 'object';
  readonly name: string;
  readonly #type: ObjectType;
  #fields: ReadonlyMap<string, CelField> | undefined;

  constructor(type: ObjectType) {
    this.name = type.name;
    this.#type = type;
  }

  get open(): boolean {
    return this.#type.open ?? false;
  }

  get fields(): ReadonlyMap<string, CelField> {
    this.#fields ??= new Map(
      [...this.#type.fields.values()].map(({ name, type }) => [
        name,
        { name, type: namedAsJson(type) },
      ]),
    );
    return this.#fields;
  }
}
