// Walks the generated schema of PodSpec: which fields there are, and which of them objects use.
// Invariant: a field is known by the type that it stands in; ephemeral containers' fields are those of containers where both have them.
import { refName, type Schema, schemaOf } from '../../api/schema/schema.ts';
import type { Scenario } from './scenario.ts';
import { podOf } from './running/manifest.ts';

const CORE = 'io.k8s.api.core.v1.';
const ROOT = `${CORE}PodSpec`;
/** Types of other groups are values here: labels' selectors, times, quantities. */
const isOurs = (name: string) => name.startsWith(CORE);
const ALIAS = { type: 'EphemeralContainer', of: 'Container' } as const;

/** A field by its type, such as `Probe.grpc`. */
export type FieldName = string;

/** All fields that can be reached, but for those below a field that `stop` names. */
export function reachableFields(stop: (field: FieldName) => boolean): FieldName[] {
  const types = new Set<string>();
  const fields: FieldName[] = [];
  const visit = (name: string) => {
    if (types.has(name)) return;
    types.add(name);
    for (const [field, schema] of Object.entries(schemaOf(name).properties ?? {})) {
      const found = fieldName(name, field);
      if (!fields.includes(found)) fields.push(found);
      const next = typeOf(schema);
      if (next && !stop(found)) visit(next);
    }
  };
  visit(ROOT);
  return fields;
}

/** The fields of all types that hold a value of a type, such as `fieldRef` for ObjectFieldSelector. */
export function holdersOf(type: string): string[] {
  const holds = (field: FieldName) => {
    const [owner = '', name = ''] = field.split('.');
    const schema = schemaOf(`${CORE}${owner}`).properties?.[name];
    return schema !== undefined && typeOf(schema) === `${CORE}${type}`;
  };
  const names = reachableFields(() => false)
    .filter(holds)
    .map((field) => field.split('.')[1] ?? '');
  return [...new Set(names)];
}

/** The fields that a scenario's pod uses, those that its steps attach and change included. */
export function fieldsUsedBy(scenario: Scenario): Set<FieldName> {
  const used = new Set<FieldName>();
  collect(podOf(scenario, 'any').spec, ROOT, used);
  for (const step of scenario.steps) {
    if ('attachEphemeral' in step) {
      used.add('PodSpec.ephemeralContainers');
      collect(step.attachEphemeral, `${CORE}EphemeralContainer`, used);
    }
    if ('patch' in step) collect((step.patch as { spec?: object }).spec, ROOT, used);
    if ('resize' in step) collect((step.resize as { spec?: object }).spec, ROOT, used);
  }
  return used;
}

function collect(value: unknown, type: string, used: Set<FieldName>): void {
  if (Array.isArray(value)) for (const each of value) collect(each, type, used);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const { properties = {} } = schemaOf(type);
  for (const [field, part] of Object.entries(value)) {
    const schema = properties[field];
    if (!schema || part === undefined) continue;
    used.add(fieldName(type, field));
    const next = typeOf(schema);
    if (next) collect(part, next, used);
  }
}

/** The type of a field's value, or of each of its elements, where it is one of ours with fields of its own. */
function typeOf(schema: Schema): string | undefined {
  const name = refName(schema) ?? (schema.items && refName(schema.items));
  return name !== undefined && isOurs(name) && schemaOf(name).properties ? name : undefined;
}

function fieldName(type: string, field: string): FieldName {
  const short = type.slice(CORE.length);
  const shared =
    short === ALIAS.type && schemaOf(`${CORE}${ALIAS.of}`).properties?.[field] !== undefined;
  return `${shared ? ALIAS.of : short}.${field}`;
}
