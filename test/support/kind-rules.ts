// What tables of cases ask of a kind's definition: an object with its defaults, the rules it breaks, the cells it shows.
// Invariant: each call makes an object of its own.
import type { ResourceDefinition } from '../../api/definition.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';

/** An object of the kind, defaults filled in. */
export function made<T extends KubeObject>(definition: ResourceDefinition<T>, parts: object): T {
  const { kind } = definition.ref;
  const base = { apiVersion: apiVersionOf(definition.ref), kind, metadata: { name: 'x' } };
  const object = structuredClone({ ...base, ...parts }) as unknown as T;
  definition.defaults?.(object);
  return object;
}

/** The fields that break a rule, each with how: `spec.cidrs Required`. `old` makes it an update. */
export function broken<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: T,
  old?: T,
): string[] {
  const errors = definition.validate?.(object, old) ?? [];
  return errors.map(({ field, type }) => `${field} ${type.replace('FieldValue', '')}`);
}

/** The cells of its row, by column. */
export function cells<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  object: T,
): Record<string, unknown> {
  return Object.fromEntries(
    definition.columns.map((column) => [column.name, column.value(object, 0)]),
  );
}
