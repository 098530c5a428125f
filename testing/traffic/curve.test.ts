// Curves of traffic: every source gives a rate for each second, or is refused with the place and what mends it.
import { describe, expect, it } from 'vitest';
import { curveOf, type CurveSource, MAX_POINTS, parseCurveCsv } from './curve.ts';
import { TrafficError } from './traffic-error.ts';

const csv = (text: string, interpolate = false) =>
  parseCurveCsv(text, { from: 'day.csv', interpolate });
const flat = (seconds: readonly number[]): CurveSource =>
  seconds.map((atSeconds) => ({ atSeconds, requestsPerSecond: 1 }));

describe('a curve', () => {
  it('goes evenly from point to point', () => {
    const { seconds, perSecond } = curveOf([
      { atSeconds: 0, requestsPerSecond: 0 },
      { atSeconds: 4, requestsPerSecond: 8 },
      { atSeconds: 6, requestsPerSecond: 0 },
    ]);
    expect(seconds).toBe(6);
    expect([...perSecond]).toEqual([0, 2, 4, 6, 8, 4]);
  });

  it('is asked of a function for each second, a day unless hours are given', () => {
    expect(curveOf({ requestsPerSecond: () => 1 }).seconds).toBe(86_400);
    const { perSecond } = curveOf({ requestsPerSecond: (second) => second % 7, hours: 0.001 });
    expect([...perSecond]).toEqual([0, 1, 2, 3]);
  });

  it.each<[string, CurveSource, string]>([
    ['one point', flat([0]), 'needs two points at least, and has 1'],
    ['a late beginning', flat([5, 9]), 'its first point says what is at second 0'],
    ['disorder', flat([0, 9, 5]), 'second 5 comes after the one at 9: put the points in order'],
    ['one moment twice', flat([0, 9, 9]), 'one for each moment'],
    ['no time', flat([0, Number.NaN]), 'has the time NaN: it takes seconds'],
    ['more than a week', flat([0, 700_000]), '194.4 hours long, and 168 at most'],
    [
      'too many points',
      flat(Array.from({ length: MAX_POINTS + 1 }, (_, i) => i)),
      'leave some out',
    ],
    [
      'fewer than no requests',
      { requestsPerSecond: (second) => 1 - second, hours: 1 },
      'has -1 requests per second at second 2: a rate is from 0',
    ],
    ['no rate', { requestsPerSecond: () => Number.NaN }, 'has NaN requests per second at second 0'],
    ['no hours', { requestsPerSecond: () => 1, hours: 0 }, 'hours is above 0'],
  ])('of %s is refused', (_, source, message) => {
    expect(() => curveOf(source)).toThrow(TrafficError);
    expect(() => curveOf(source)).toThrow(message);
  });
});

describe('a CSV', () => {
  it.each([
    ['seconds', '0,5\n60,7\n', 60],
    ['hours and minutes', 'time;rps\r\n08:00;5\r\n08:01;7\r\n', 60],
    ['hours, minutes and seconds, quoted', '"23:59:30"\t5\n"24:00:30"\t7\n', 60],
    ['dates', '\uFEFFTime,Value\n2026-03-01T08:00:00Z,5\n2026-03-01 08:01,7', 60],
    ['comments and empty lines', '# from Monday\n\n10,5\n\n70,7', 60],
  ])('has times in %s, which count from the first', (_, text, atSeconds) => {
    expect(csv(text)).toEqual([
      { atSeconds: 0, requestsPerSecond: 5 },
      { atSeconds, requestsPerSecond: 7 },
    ]);
  });

  it.each([
    [
      'a rate below none',
      '0,5\n60,-7',
      'day.csv line 2: -7 requests per second are fewer than none',
    ],
    [
      'lines in disorder',
      't,r\n60,5\n0,7',
      'day.csv line 3 is not later than the line before it: sort',
    ],
    ['no rate', '0,5\n60,\n120,7', 'day.csv line 2: there is no rate: fill it in'],
    ['NaN', '0,5\n60,NaN\n120,7', 'day.csv line 2: there is no rate: fill it in'],
    [
      'a gap',
      '0:00,5\n0:05,5\n0:10,5\n0:40,6\n0:45,6',
      'day.csv line 4 comes 1800 s after the line before it, where 300 s are usual; that is a gap',
    ],
    ['words', '0,5\n60,many', 'day.csv line 2: "60,many" is no time and rate, such as 08:30,120'],
    ['no time of day', '0:00,5\n0:61,6', 'day.csv line 2: "0:61,6" is no time and rate'],
    ['a rate of another world', '0,5\n60,1e9', 'day.csv line 2: 1e9 requests per second are more'],
    [
      'too many lines',
      '1,1\n'.repeat(MAX_POINTS + 1),
      'has more than 100000 points: leave some out',
    ],
  ])('with %s is refused', (_, text, message) => {
    expect(() => csv(text)).toThrow(TrafficError);
    expect(() => csv(text)).toThrow(message);
  });

  it('has straight lines over its gaps where that is asked', () => {
    const points = csv('0:00,5\n0:05,5\n0:10,\n0:40,6\n0:45,6', true);
    expect(points.map(({ atSeconds }) => atSeconds)).toEqual([0, 300, 2400, 2700]);
  });
});
