// What a server makes of objects of a kind: defaults, pruning, validation, by the server's own code and without one.
// Invariant: same answers as the server's, in the same words; nothing that is handed in is changed.
import { customResources } from '../../../api/apiextensions/custom-resource.ts';
import { ruleCosts } from '../../../api/apiextensions/rules/rule-checks.ts';
import { ESTIMATE_PER_RULE } from '../../../api/cel/limits.ts';
import { SchemaTrees } from '../../../api/apiextensions/schema-trees.ts';
import type { ResourceDefinition } from '../../../api/definition.ts';
import { type FieldError, invalid, invalidBecause } from '../../../api/field-error.ts';
import type { CustomResourceDefinition, JSONSchemaProps } from '../../../api/generated/types.ts';
import type { LooseObject, ObjectMeta } from '../../../api/meta/object.ts';
import { validateMetaOnCreate, validateMetaOnUpdate } from '../../../api/meta/validate-meta.ts';
import { decodeAsKind } from '../../../api/object-type.ts';
import type { Structural } from '../../../api/schema/structural/structural.ts';
import { StatusError } from '../../../api/status.ts';
import { asStored, schemaPath } from './definition-check.ts';

/** What a rule may cost at worst, of what one rule may cost at most. */
export interface RuleCost {
  /** The place in the schema. */
  readonly path: string;
  readonly rule: string;
  readonly cost: number;
  readonly limit: number;
}

/** One version of a definition. */
export class KindRules {
  readonly resource: ResourceDefinition;
  readonly tree: Structural;
  readonly schema: JSONSchemaProps;

  /** The definition is one that was checked. */
  constructor(crd: CustomResourceDefinition, version: string) {
    const stored = asStored(crd);
    // What is not served may be asked about all the same.
    const versions = stored.spec.versions.map((each) => ({ ...each, served: true }));
    const served = { ...stored, spec: { ...stored.spec, versions } };
    const trees = new SchemaTrees(() => served);
    const made = customResources(served, served.spec.names, trees);
    this.resource = made.find(({ ref }) => ref.version === version) as ResourceDefinition;
    const apiVersion = `${crd.spec.group}/${version}`;
    this.tree = trees.of(apiVersion) as Structural;
    this.schema = trees.schema(apiVersion) as JSONSchemaProps;
  }

  /** The object as it would be stored. Throws StatusError BadRequest for what is no object of the kind. */
  withDefaults(object: unknown): LooseObject {
    return this.#decoded(object).object;
  }

  /** Fields that the schema does not have. */
  unknownFields(object: unknown): readonly string[] {
    return this.#decoded(object).unknownFields;
  }

  /** The broken rules of an object, or of a change of it. */
  errors(given: unknown, before?: unknown): readonly FieldError[] {
    try {
      const old = before === undefined ? undefined : this.withDefaults(before);
      return this.#errors(this.withDefaults(given), old);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      return [invalidBecause('<nil>', error.message)];
    }
  }

  /** Throws what a server would answer. */
  assertValid(given: unknown, before?: unknown): void {
    const old = before === undefined ? undefined : this.withDefaults(before);
    const object = this.withDefaults(given);
    const errors = this.#errors(object, old);
    if (errors.length > 0) throw invalid(this.resource.ref, object.metadata.name ?? '', errors);
  }

  /** Estimates of all rules, dearest first. */
  costs(): readonly RuleCost[] {
    return ruleCosts(this.tree)
      .map(({ path, rule, cost }) => {
        const place = schemaPath(path.replace(/\.?x-kubernetes-validations.*$/, ''));
        return { path: place, rule, cost, limit: ESTIMATE_PER_RULE };
      })
      .toSorted((a, b) => b.cost - a.cost);
  }

  #decoded(given: unknown) {
    const decoded = decodeAsKind(this.resource, given);
    this.resource.defaults?.(decoded.object);
    return decoded;
  }

  #errors(object: LooseObject, old: LooseObject | undefined): FieldError[] {
    const { namespaced } = this.resource.ref;
    const meta = old
      ? validateMetaOnUpdate(object.metadata, old.metadata)
      : validateMetaOnCreate(placed(object.metadata, namespaced), { namespaced });
    const own = this.resource.validate?.(object, old) ?? [];
    return [...meta, ...own, ...this.#ruleErrors(object, old, own)];
  }

  #ruleErrors(object: LooseObject, old: LooseObject | undefined, own: readonly FieldError[]) {
    const asking = this.resource.validateLong?.(object, old, own);
    for (;;) {
      const { done, value } = asking?.next() ?? { done: true, value: [] };
      if (done) return value;
    }
  }
}

/** What a request says and the server fills in before it checks: namespace, and a name that is to be made. */
function placed(metadata: ObjectMeta, namespaced: boolean): ObjectMeta {
  const { generateName, name } = metadata;
  return {
    ...metadata,
    ...(namespaced && { namespace: metadata.namespace ?? 'default' }),
    ...(!name && generateName && { name: `${generateName}x` }),
  };
}

/** The rules of every version of a definition, each made when it is first asked for. */
export function rulesByVersion(
  crd: CustomResourceDefinition,
  version: string,
): {
  readonly of: (version: string) => KindRules;
  readonly about: (object: unknown) => KindRules;
} {
  const made = new Map<string, KindRules>();
  const known = new Set(crd.spec.versions.map(({ name }) => name));
  const of = (name: string) => {
    const rules = made.get(name) ?? new KindRules(crd, name);
    made.set(name, rules);
    return rules;
  };
  const about = (object: unknown) => {
    const { apiVersion } = (object ?? {}) as { readonly apiVersion?: unknown };
    const name = String(apiVersion).split('/').at(-1) ?? '';
    return of(known.has(name) ? name : version);
  };
  return { of, about };
}
