// Where an apply configuration of a policy would replace a list, map or struct that is owned as a whole.
// Invariant: pure; upstream refuses these, as what the configuration does not name in there would silently go.
import { isObject, type JsonObject } from '../../../api/fieldset/list-items.ts';
import type { MergeType } from '../../../api/fieldset/merge-type.ts';

/** The paths of such parts: `.spec.containers[0].args`. */
export function atomicsIn(type: MergeType, value: unknown, path = ''): string[] {
  if (isObject(value)) return mapAtomics(type, value, path);
  if (!Array.isArray(value) || type.kind !== 'list') return [];
  const items = value as unknown[];
  const inner = items.flatMap((item, i) => atomicsIn(type.item, item, `${path}[${i}]`));
  return type.how === 'atomic' ? [path, ...inner] : inner;
}

function mapAtomics(type: MergeType, value: JsonObject, path: string): string[] {
  if (type.kind === 'map') return type.atomic ? [path] : [];
  if (type.kind !== 'struct') return [];
  const inner = Object.entries(value).flatMap(([key, item]) => {
    const field = type.field(key);
    return field ? atomicsIn(field.type, item, `${path}.${key}`) : [];
  });
  return type.atomic ? [path, ...inner] : inner;
}
