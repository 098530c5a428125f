// Rules of Events: those of every event, and the stricter ones of those written by events.k8s.io/v1.
// Pure; wordings and paths are those API clients know, which name the stored fields.
import type { FieldError } from '../field-error.ts';
import { invalidValue, required } from '../field-error.ts';
import type { Event } from '../generated/types.ts';
import { allUnchanged, obeys } from '../meta/field-rules.ts';
import { qualifiedName } from '../meta/names.ts';

const MAX_WORD = 128;
const MAX_MESSAGE = 1024;

/** An event with an exact time says who reports it, what was done and why. */
export function validateReported(event: Event): FieldError[] {
  if (!event.eventTime) return [];
  const { reportingComponent = '', message = '' } = event;
  return [
    ...(reportingComponent === '' ? [required('reportingController')] : []),
    ...(reportingComponent === ''
      ? []
      : obeys(qualifiedName, reportingComponent, 'reportingController')),
    ...(['reportingInstance', 'action', 'reason'] as const).flatMap((field) => {
      const value = event[field] ?? '';
      if (value === '') return [required(field)];
      return tooManyCharacters(value, MAX_WORD, field);
    }),
    ...tooManyCharacters(message, MAX_MESSAGE, 'message'),
  ];
}

function tooManyCharacters(value: string, max: number, path: string): FieldError[] {
  return value.length > max ? [invalidValue(path, '', `can have at most ${max} characters`)] : [];
}

/** What a new event of events.k8s.io/v1 must have, and what it may not have. */
export function validateNewEvent(event: Event): FieldError[] {
  const { type = '', source } = event;
  const errors: FieldError[] = event.eventTime ? [] : [required('eventTime')];
  if (type !== 'Normal' && type !== 'Warning') {
    errors.push(invalidValue('type', '', `has invalid value: ${type}`));
  }
  for (const field of ['firstTimestamp', 'lastTimestamp', 'count'] as const) {
    if (event[field]) errors.push(invalidValue(field, '', 'needs to be unset'));
  }
  if (source?.component || source?.host) {
    errors.push(invalidValue('source', '', 'needs to be unset'));
  }
  return errors;
}

const KEPT = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const satisfies readonly (keyof Event)[];

/** Only the series of an event goes on. */
export function validateEventKept(event: Event, old: Event): FieldError[] {
  return allUnchanged({ now: event, before: old }, KEPT).map((error) =>
    error.field === 'reportingComponent' ? { ...error, field: 'reportingController' } : error,
  );
}
