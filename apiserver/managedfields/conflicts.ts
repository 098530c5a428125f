// Fields that an apply would change and that others own: found, allowed, and refused in the words that clients know.
// Invariant: causes and message name the same fields, in the same order.
import { difference, type FieldSet, isEmptySet, pathsOf } from '../../api/fieldset/field-set.ts';
import { describePath } from '../../api/fieldset/path-element.ts';
import { StatusError, type StatusCause } from '../../api/status.ts';
import type { OwnerName } from './owners.ts';

/** Fields of one owner that an apply would change. */
export interface Conflict {
  readonly owner: OwnerName;
  readonly fields: FieldSet;
}

/** The conflicts without these fields. */
export function withoutAllowed(conflicts: readonly Conflict[], allowed: FieldSet): Conflict[] {
  return conflicts
    .map(({ owner, fields }) => ({ owner, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmptySet(fields));
}

/** 409 that names every owner and field. */
export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const named = conflicts
    .map(({ owner, fields }) => ({
      owner: describeOwner(owner),
      paths: [...pathsOf(fields)].map(describePath),
    }))
    .sort((a, b) => (a.owner < b.owner ? -1 : 1));
  const causes: StatusCause[] = named.flatMap(({ owner, paths }) =>
    paths.map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${owner}`,
      field,
    })),
  );
  const [only] = causes;
  const message =
    causes.length === 1 && only
      ? `Apply failed with 1 conflict: ${only.message}: ${only.field}`
      : `Apply failed with ${causes.length} conflicts: ${named.map(listed).join('\n')}`;
  return new StatusError('Conflict', message, { details: { causes } });
}

const listed = ({ owner, paths }: { owner: string; paths: readonly string[] }): string =>
  [`conflicts with ${owner}:`, ...paths.map((path) => `- ${path}`)].join('\n');

function describeOwner({ manager, operation, apiVersion, subresource }: OwnerName): string {
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  const using = operation === 'Update' ? ` using ${apiVersion}` : '';
  return `${JSON.stringify(manager)}${through}${using}`;
}
