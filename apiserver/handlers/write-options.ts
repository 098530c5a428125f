// The options of writes in the query: CreateOptions, UpdateOptions, PatchOptions (API reference, "Common parameters").
// Invariant: options that break a rule are refused with 422, every broken one named, before the body is looked at.
import {
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
} from '../../api/field-error.ts';
import { managerNameFaults } from '../../api/meta/manager-names.ts';
import { FIELD_VALIDATIONS } from '../../api/schema/field-validation.ts';
import type { StatusError } from '../../api/status.ts';
import type { Request } from '../../api/wire/exchange.ts';
import { mediaType } from '../request-body.ts';
import type { Verb } from '../request-info.ts';

/** The media type of applied configurations. */
export const APPLY_TYPE = 'application/apply-patch+yaml';

const KINDS: Readonly<Partial<Record<Verb, string>>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
};

/** Throws Invalid for options that the verb cannot have. Verbs that write nothing, and deletes, which have a body of options, pass. */
export function checkWriteOptions(verb: Verb, request: Pick<Request, 'query' | 'headers'>): void {
  const kind = KINDS[verb];
  if (kind === undefined) return;
  const patching = verb === 'patch';
  const { query } = request;
  if (query.size === 0 && !patching) return;
  const errors = [
    ...(patching ? patchFaults(request) : []),
    ...managerNameFaults(query.get('fieldManager') ?? '', 'fieldManager'),
    ...dryRunFaults(query.getAll('dryRun')),
    ...levelFaults(query.get('fieldValidation') ?? ''),
  ];
  if (errors.length > 0) throw wrongOptions(kind, errors);
}

/** 422 that names options of that kind. */
export function wrongOptions(kind: string, errors: readonly FieldError[]): StatusError {
  return invalid({ group: 'meta.k8s.io', kind }, '', errors);
}

/** What is wrong with the values of `dryRun`; all of them are shown, as upstream does. */
export function dryRunFaults(values: readonly string[]): FieldError[] {
  const fits = values.every((value) => value === 'All' || value === '');
  return fits ? [] : [notSupported('dryRun', values, ['All'])];
}

/** Is it a dry run? */
export function isDryRun(query: URLSearchParams): boolean {
  return query.has('dryRun') && query.getAll('dryRun').includes('All');
}

/** An apply says who applies, and only an apply takes over what others own. */
function patchFaults(request: Pick<Request, 'query' | 'headers'>): FieldError[] {
  const { query } = request;
  if (mediaType(request) === APPLY_TYPE)
    return query.get('fieldManager')
      ? []
      : [required('fieldManager', 'is required for apply patch')];
  return query.has('force')
    ? [forbiddenField('force', 'may not be specified for non-apply patch')]
    : [];
}

/** Upstream counts the level that is none among the known ones. */
function levelFaults(level: string): FieldError[] {
  const known = ['', ...FIELD_VALIDATIONS].sort();
  return known.includes(level) ? [] : [notSupported('fieldValidation', level, known)];
}
