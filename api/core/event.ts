// Events: what happened to an object, for people to read. Kept for a while, then dropped by the server.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue } from '../field-error.ts';
import type { Event } from '../generated/types.ts';
import { Events } from '../kinds.ts';
import { nameColumn, text, wide } from '../meta/columns.ts';
import { ageOf } from '../wire/human-duration.ts';
import { validateReported } from './event-validation.ts';

/** What Events are. */
export const eventDefinition = defineResource<Event>({
  ref: Events,
  singular: 'event',
  listKind: 'EventList',
  shortNames: ['ev'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.Event',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  subresources: [],
  columns: [
    text('Last Seen', 'How long ago it last happened.', (event, nowMs) =>
      ageOf(lastSeen(event), nowMs),
    ),
    text('Type', 'Normal or Warning.', (event) => event.type ?? ''),
    text('Reason', 'Why, in one word.', (event) => event.reason ?? ''),
    text('Object', 'What it happened to.', objectText),
    wide('Subobject', 'The part that it happened to.', (event) => involved(event).fieldPath ?? ''),
    wide('Source', 'Who says so.', sourceText),
    text('Message', 'What happened.', (event) => (event.message ?? '').trim()),
    wide('First Seen', 'How long ago it first happened.', (event, nowMs) =>
      ageOf(event.firstTimestamp ?? event.eventTime, nowMs),
    ),
    wide('Count', 'How often it happened.', (event) => String(countOf(event))),
    { ...nameColumn, priority: 1 },
  ],
  selectableFields: {
    'involvedObject.kind': (event) => involved(event).kind ?? '',
    'involvedObject.namespace': (event) => involved(event).namespace ?? '',
    'involvedObject.name': (event) => involved(event).name ?? '',
    'involvedObject.uid': (event) => involved(event).uid ?? '',
    'involvedObject.apiVersion': (event) => involved(event).apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => involved(event).resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => involved(event).fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
  validate: (event) => [...validateNamespace(event), ...validateReported(event)],
});

const involved = (event: Event): Partial<Event['involvedObject']> => event.involvedObject ?? {};

function lastSeen(event: Event): string | undefined {
  const { series, lastTimestamp, firstTimestamp, eventTime } = event;
  return series?.lastObservedTime ?? lastTimestamp ?? firstTimestamp ?? eventTime;
}

function countOf(event: Event): number {
  return event.series?.count || event.count || 1;
}

function objectText(event: Event): string {
  const { kind = '', name = '' } = involved(event);
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || '';
  const host = source?.host || reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}

/** An event lies where its object lies; for an object of no namespace, in `default` or `kube-system`. */
function validateNamespace(event: Event): FieldError[] {
  const { namespace = '' } = involved(event);
  const own = event.metadata.namespace ?? '';
  const fits = namespace === '' ? own === 'default' || own === 'kube-system' : own === namespace;
  return fits
    ? []
    : [invalidValue('involvedObject.namespace', namespace, 'does not match event.namespace')];
}
