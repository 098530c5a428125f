// CEL rules told by path (`rules: { 'spec.targets[]': 'self.port > 0' }`), put where they belong in a schema.
// Invariant: a path that leads nowhere is a fault that names what is there.
import type { JSONSchemaProps, ValidationRule } from '../../../api/generated/types.ts';
import { isSchema } from '../../../api/schema/structural/sayings.ts';
import type { KindFault } from './kind-error.ts';

/** A rule: its expression, or all that a definition may say of it. */
export type RuleOption = string | ValidationRule;

/** Rules by the path of the place that is their `self`: `spec.targets[]`, `spec.labels{}`; '' is the whole object. */
export type RuleOptions = Readonly<Record<string, RuleOption | readonly RuleOption[]>>;

/** Adds the rules to the schema, in place; answers the paths that lead nowhere. */
export function placeRules(schema: JSONSchemaProps, rules: RuleOptions): KindFault[] {
  return Object.entries(rules).flatMap(([path, given]) => {
    const found = placeAt(schema, path);
    if ('fault' in found) return [{ path, message: found.fault }];
    const { place } = found;
    const list = (Array.isArray(given) ? given : [given]) as readonly RuleOption[];
    const added = list.map((rule) => (typeof rule === 'string' ? { rule } : rule));
    place['x-kubernetes-validations'] = [...(place['x-kubernetes-validations'] ?? []), ...added];
    return [];
  });
}

/** A name, `[]` or `{}`. */
const STEP = /\[\]|\{\}|[^.[\]{}]+/g;

/** The schema at a path, or why there is none. */
export function placeAt(
  schema: JSONSchemaProps,
  path: string,
): { readonly place: JSONSchemaProps } | { readonly fault: string } {
  let place = schema;
  let at = '';
  for (const step of path.match(STEP) ?? []) {
    const next = below(place, step);
    if (next === undefined) return { fault: nowhere(place, step, at) };
    place = next;
    at += step.startsWith('[') || step.startsWith('{') || at === '' ? step : `.${step}`;
  }
  return { place };
}

function below(place: JSONSchemaProps, step: string): JSONSchemaProps | undefined {
  const { additionalProperties, items, properties } = place;
  if (step === '[]') return isSchema(items) ? items : undefined;
  if (step === '{}') return isSchema(additionalProperties) ? additionalProperties : undefined;
  return properties && Object.hasOwn(properties, step) ? properties[step] : undefined;
}

function nowhere(place: JSONSchemaProps, step: string, at: string): string {
  const where = at === '' ? 'the object' : at;
  const names = Object.keys(place.properties ?? {});
  const there = names.length > 0 ? `its fields are ${names.join(', ')}` : shapeOf(place);
  return `the path leads nowhere: ${where} has no "${step}"; ${there}`;
}

function shapeOf({ additionalProperties, items, type }: JSONSchemaProps): string {
  if (isSchema(items)) return 'it is a list, whose items are []';
  if (isSchema(additionalProperties)) return 'it is a map, whose values are {}';
  return `it is of type ${type ?? 'anything'} and has no fields`;
}
