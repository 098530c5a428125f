// The events of a description.
import { describe, expect, it } from 'vitest';
import type { Event } from '../../api/generated/types.ts';
import { eventTable } from './event-table.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const event = (fields: object): Event => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: {},
  involvedObject: {},
  type: 'Normal',
  ...fields,
});

describe('the events of a description', () => {
  it('stand in columns, oldest first, with ages, counts and who says so', () => {
    const again = event({
      type: 'Warning',
      reason: 'AReasonLongerThanTwentyFourLetters',
      message: 'later\n',
      count: 3,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:09:55Z',
      source: { component: 'kubelet', host: 'n' },
    });
    const once = event({
      reason: 'Made',
      message: 'first',
      eventTime: '2026-01-01T00:09:00.000000Z',
      reportingComponent: 'maker',
    });
    expect(eventTable([again, once], NOW)).toBe(
      `Events:
  Type     Reason                              Age               From     Message
  ----     ------                              ---               ----     -------
  Normal   Made                                60s               maker    first
  Warning  AReasonLongerThanTwentyFourLetters  5s (x3 over 10m)  kubelet  later
`,
    );
  });

  it('are told to be none', () => {
    expect(eventTable([], NOW)).toBe('Events:  <none>\n');
  });
});
