// What a failed wait tells: what is missing, what went wrong meanwhile, the object's events, and the object itself.
// Invariant: telling never fails; what cannot be had for it is left out.
import type { Event } from '../../api/generated/types.ts';
import { Events } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Client } from '../../client/rest/client.ts';
import { yamlOf } from '../yaml.ts';

/** Events of an object shown at most: the last ones. */
export const MAX_EVENTS = 10;
/** Objects of a list shown at most. */
export const MAX_OBJECTS = 5;

/** Thrown when what was waited for did not come about. */
export class EventuallyError extends Error {
  override readonly name = 'EventuallyError';
  /** The objects as they were last. */
  readonly lastSeen: readonly KubeObject[];

  constructor(message: string, lastSeen: readonly KubeObject[]) {
    super(message);
    this.lastSeen = lastSeen;
  }
}

/** What is known of a wait that has failed. */
export interface Failure {
  readonly client: Client;
  /** Such as `Deployment default/web did not come to what is wanted within 4000 ms`. */
  readonly headline: string;
  /** What is missing, a line each. */
  readonly missing: readonly string[];
  /** How often what was looked at changed. */
  readonly changes: number;
  /** What last went wrong on the way to the server. */
  readonly problem: unknown;
  readonly lastSeen: readonly KubeObject[];
}

/** The error, with the objects' events asked of the server. */
export async function failureOf(failure: Failure): Promise<EventuallyError> {
  const { headline, missing, changes, problem, lastSeen } = failure;
  const parts = [`${headline}:`, ...missing.map((line) => `  ${line}`)];
  if (changes > 0) parts.push(`It changed ${changes} times meanwhile.`);
  if (problem !== undefined) parts.push(`On the way to the server: ${messageOf(problem)}`);
  for (const object of lastSeen.slice(0, MAX_OBJECTS)) {
    const events = await eventsOf(failure.client, object);
    if (events.length > 0) parts.push('', 'Events:', ...events.map((line) => `  ${line}`));
    parts.push(
      '',
      'As it was last:',
      ...yamlOf(object)
        .split('\n')
        .map((line) => `  ${line}`),
    );
  }
  const more = lastSeen.length - MAX_OBJECTS;
  if (more > 0) parts.push('', `and ${more} more objects`);
  return new EventuallyError(parts.join('\n'), lastSeen);
}

/** A message of whatever was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

async function eventsOf(client: Client, { kind, metadata }: KubeObject): Promise<string[]> {
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${metadata.name}`;
  // Events of cluster-scoped objects stand in the namespace default.
  const namespace = metadata.namespace ?? 'default';
  try {
    const { items } = await client.resource(Events).list({ namespace, fieldSelector });
    return items
      .filter(({ involvedObject }) => involvedObject.uid === metadata.uid)
      .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
      .slice(-MAX_EVENTS)
      .map(eventLine);
  } catch {
    return [];
  }
}

const timeOf = ({ lastTimestamp, eventTime, metadata }: Event): string =>
  lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';

function eventLine(event: Event): string {
  const { type, reason, message, count = 1, source, reportingComponent } = event;
  const times = count > 1 ? ` (${count} times)` : '';
  const by = source?.component ?? reportingComponent ?? '';
  return `${timeOf(event)} ${type} ${reason}${times}${by ? `, ${by}` : ''}: ${message}`;
}
