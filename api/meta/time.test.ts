// Timestamps go both ways and only RFC 3339 is taken.
import { describe, expect, it } from 'vitest';
import { formatMicroTime, formatTime, parseTime } from './time.ts';

describe('time', () => {
  it.each([
    ['2026-01-02T03:04:05Z', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['2026-01-02T03:04:05.678901Z', Date.UTC(2026, 0, 2, 3, 4, 5, 678)],
    ['2026-01-02T05:04:05+02:00', Date.UTC(2026, 0, 2, 3, 4, 5)],
  ])('parses %s', (text, ms) => {
    expect(parseTime(text)).toBe(ms);
  });

  it.each([undefined, '', 'now', '2026-01-02', '2026-13-02T03:04:05Z', '2026-01-02 03:04:05Z'])(
    'refuses %s',
    (text) => {
      expect(parseTime(text)).toBeUndefined();
    },
  );

  it('formats whole seconds and microseconds', () => {
    const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    expect(formatTime(ms)).toBe('2026-01-02T03:04:05Z');
    expect(formatMicroTime(ms)).toBe('2026-01-02T03:04:05.678000Z');
    expect(formatMicroTime(ms + 0.25)).toBe('2026-01-02T03:04:05.678250Z');
  });
});
