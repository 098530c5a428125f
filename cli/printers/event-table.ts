// The events at the end of a description: what happened, how long ago and how often, oldest first.
import type { Event } from '../../api/generated/types.ts';
import { ageOf } from '../../api/wire/human-duration.ts';
import { inColumns } from './columns.ts';

const TITLES = ['Type', 'Reason', 'Age', 'From', 'Message'];

/** The table, or that there is none. */
export function eventTable(events: readonly Event[], nowMs: number): string {
  if (events.length === 0) return 'Events:  <none>\n';
  const rows = [...events]
    .sort((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1))
    .map((event) => [
      event.type ?? '',
      event.reason ?? '',
      agesOf(event, nowMs),
      event.source?.component || event.reportingComponent || '',
      (event.message ?? '').trim().replaceAll('\n', ' '),
    ]);
  const ruled = [TITLES, TITLES.map((title) => '-'.repeat(title.length)), ...rows];
  return `Events:\n${inColumns(ruled, 2).replace(/^/gm, '  ').trimEnd()}\n`;
}

const lastSeen = (event: Event): string =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? '';

/** `5s`, or `5s (x3 over 2m)` for what happened again. */
function agesOf(event: Event, nowMs: number): string {
  const first = event.firstTimestamp ?? event.eventTime ?? undefined;
  const count = event.series?.count ?? event.count ?? 1;
  if (count <= 1) return ageOf(first ?? event.lastTimestamp ?? undefined, nowMs);
  return `${ageOf(lastSeen(event) || undefined, nowMs)} (x${count} over ${ageOf(first, nowMs)})`;
}
