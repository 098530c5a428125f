// Events as events.k8s.io/v1 shows them: a second way of writing what is stored as core/v1 Events.
// Invariant: both ways say the same; only the names of fields differ.
import { table } from '../../base/table.ts';
import type { ResourceDefinition } from '../definition.ts';
import { eventDefinition } from '../core/event.ts';
import { validateNewEvent, validateEventKept } from '../core/event-validation.ts';
import type { Event, EventsEvent } from '../generated/types.ts';
import type { KindRef } from '../kind-ref.ts';
import { Events } from '../kinds.ts';
import type { LooseObject } from '../meta/object.ts';

const ref: KindRef<Event> = {
  ...Events,
  group: 'events.k8s.io',
  storedGroup: Events.group,
};

const SELECTABLE_AS_STORED = ['reason', 'type'];
const RENAMED: Readonly<Record<string, string>> = table({
  reportingController: 'reportingComponent',
  ...Object.fromEntries(
    ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (field) => [`regarding.${field}`, `involvedObject.${field}`],
    ),
  ),
});

/** The events.k8s.io/v1 of Events. Its hooks see the stored form, as those of every further version do. */
export const eventV1Definition: ResourceDefinition<Event> = {
  ...eventDefinition,
  ref,
  schemaName: 'io.k8s.api.events.v1.Event',
  selectableFields: Object.fromEntries([
    ...SELECTABLE_AS_STORED.map((field) => [field, selectable(field)] as const),
    ...Object.entries(RENAMED).map(([field, stored]) => [field, selectable(stored)] as const),
  ]),
  validate: (event, old) => [
    ...(eventDefinition.validate?.(event, old) ?? []),
    ...(old === undefined ? validateNewEvent(event) : validateEventKept(event, old)),
  ],
  storedAs: {
    apiVersion: 'v1',
    toStored: (object) => toCore(object as unknown as EventsEvent) as unknown as LooseObject,
    fromStored: (object) => fromCore(object as unknown as Event) as unknown as LooseObject,
  },
};

function selectable(stored: string): (event: Event) => string {
  return (event) => eventDefinition.selectableFields[stored]?.(event) ?? '';
}

/** Names here, and as stored. */
const NAMES: readonly (readonly [keyof EventsEvent, keyof Event])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];
const TO_STORED = new Map<string, string>(NAMES);
const FROM_STORED = new Map<string, string>(NAMES.map(([here, stored]) => [stored, here]));

function toCore(event: EventsEvent): object {
  const stored = renamed(event, TO_STORED, 'v1');
  return { involvedObject: {}, ...stored };
}

function fromCore(event: Event): object {
  return renamed(event, FROM_STORED, 'events.k8s.io/v1');
}

function renamed(event: object, names: ReadonlyMap<string, string>, apiVersion: string): object {
  const entries = Object.entries(event).map(([key, value]) => [names.get(key) ?? key, value]);
  return { ...Object.fromEntries(entries), apiVersion };
}
