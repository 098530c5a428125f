// Objects as YAML, for those who read a failed test. Wraps the yaml package; nothing else in this room imports it.
// Invariant: managedFields are left out, and what is shown is cut at MAX_LINES.
import { stringify } from 'yaml';
import type { KubeObject } from '../api/meta/object.ts';

/** Lines of one object shown at most. */
export const MAX_LINES = 200;

/** The object without its managedFields, what names it first. */
export function yamlOf(object: KubeObject): string {
  const { apiVersion, kind, metadata, ...rest } = object;
  const { managedFields: _, namespace, name, ...others } = metadata;
  const named = { ...(namespace !== undefined && { namespace }), name, ...others };
  const ordered = { apiVersion, kind, metadata: named, ...rest };
  const lines = stringify(ordered, { aliasDuplicateObjects: false, lineWidth: 0 })
    .trimEnd()
    .split('\n');
  if (lines.length <= MAX_LINES) return lines.join('\n');
  return [...lines.slice(0, MAX_LINES), `# … ${lines.length - MAX_LINES} more lines`].join('\n');
}
