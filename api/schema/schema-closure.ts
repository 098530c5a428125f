// What an OpenAPI document must hold besides the kinds it names.
// Schemas together with all that they refer to, so that a document stands on its own.
import type { ServedResource } from './endpoints.ts';
import { refName, schemaOf } from './schema.ts';
import type { Schema, SchemaMap } from './schema.ts';

/** The schemas of these names and of everything they refer to, sorted by name; `custom` are found before the generated ones. */
export function closureOf(
  names: readonly string[],
  custom: SchemaMap = new Map(),
): Record<string, Schema> {
  return wholeOf(closureSteps(names, custom));
}

/** The same in steps, a schema each. */
export function* closureSteps(
  names: readonly string[],
  custom: SchemaMap,
): Generator<void, Record<string, Schema>> {
  const found = new Map<string, Schema>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const schema = custom.get(name) ?? schemaOf(name);
    found.set(name, schema);
    for (const property of Object.values(schema.properties ?? {})) collect(property, open);
    yield;
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What steps come to that are taken one after another. */
export function wholeOf<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The schemas that these resources bring along. */
export function customSchemasOf(resources: readonly Pick<ServedResource, 'custom'>[]): SchemaMap {
  return new Map(resources.flatMap(({ custom }) => [...(custom?.schemas ?? [])]));
}

function collect(schema: Schema, names: string[]): void {
  const name = refName(schema);
  if (name !== undefined) names.push(name);
  if (schema.items !== undefined) collect(schema.items, names);
  if (schema.additionalProperties !== undefined) collect(schema.additionalProperties, names);
  for (const property of Object.values(schema.properties ?? {})) collect(property, names);
}
