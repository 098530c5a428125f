// Objects as YAML, as kubectl shows them: keys in order, no folded lines, no anchors.
import { stringify } from 'yaml';

/** The YAML text of a JSON value. */
export function toYaml(value: unknown): string {
  return stringify(value, {
    sortMapEntries: true,
    lineWidth: 0,
    aliasDuplicateObjects: false,
    version: '1.1',
    indentSeq: false,
  });
}
