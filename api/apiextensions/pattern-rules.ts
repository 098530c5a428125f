// How large the patterns in a definition's schemas may be, one by one and together: asked before any of them is compiled.
// Invariant: pure; takes time linear in the schemas. Patterns that stood there before are let pass: what is stored is served.
import { sizeFault } from '../cel/library/patterns.ts';
import { definitionAllowance } from '../cel/pattern-allowance.ts';
import { type FieldError, forbiddenField, invalidValue } from '../field-error.ts';
import type { CustomResourceDefinitionVersion } from '../generated/types.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { SAID, visitSaying } from '../schema/structural/sayings.ts';

type Versions = readonly CustomResourceDefinitionVersion[];

/** The patterns of all versions that are too large, each once, or the first that all before it left no room for. */
export function patternSizeErrors(versions: Versions, old: Versions = []): FieldError[] {
  const asked = new Set<string>();
  const allowance = definitionAllowance();
  for (const { pattern } of versionsPatterns(old)) {
    asked.add(pattern);
    allowance.keep(pattern);
  }
  const errors: FieldError[] = [];
  for (const { pattern, path } of versionsPatterns(versions)) {
    if (asked.has(pattern)) continue;
    asked.add(pattern);
    const fault = sizeFault(pattern);
    if (fault !== undefined) errors.push(invalidValue(path, pattern, fault));
    if (allowance.admits(pattern)) continue;
    return errors.length > 0 ? errors : [forbiddenField(path, allowance.fault)];
  }
  return errors;
}

interface Found {
  readonly pattern: string;
  readonly path: string;
}

/** What all versions have in common is told once, where it stood before there were versions. */
function versionsPatterns(versions: Versions): Found[] {
  const [first, ...others] = versions;
  const same = others.every(({ schema }) => deepEqual(schema, first?.schema));
  const found: Found[] = [];
  for (const [i, { schema }] of (same ? versions.slice(0, 1) : versions).entries()) {
    const at = same ? 'spec.validation' : `spec.versions[${i}].schema`;
    const place = schema?.openAPIV3Schema;
    if (place === undefined) continue;
    const whole = { place, path: `${at}.openAPIV3Schema` };
    visitSaying(whole, SAID.pattern, ({ place: { pattern }, path }) => {
      if (pattern) found.push({ pattern, path: `${path}.pattern` });
    });
  }
  return found;
}
