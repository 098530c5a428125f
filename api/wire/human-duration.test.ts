// The one scale of ages, shared by server and clients.
// Ages at each step of the scale, as kubectl shows them.
import { describe, expect, it } from 'vitest';
import { ageOf, humanDuration } from './human-duration.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
const Y = 365 * D;

describe('humanDuration', () => {
  it.each([
    [-5 * S, '<invalid>'],
    [-S, '0s'],
    [0, '0s'],
    [119 * S, '119s'],
    [2 * M, '2m'],
    [3 * M + 25 * S, '3m25s'],
    [10 * M + 25 * S, '10m'],
    [179 * M, '179m'],
    [3 * H, '3h'],
    [7 * H + 5 * M, '7h5m'],
    [8 * H + 5 * M, '8h'],
    [47 * H, '47h'],
    [2 * D, '2d'],
    [5 * D + 3 * H, '5d3h'],
    [8 * D + 3 * H, '8d'],
    [Y, '365d'],
    [2 * Y, '2y'],
    [2 * Y + 30 * D, '2y30d'],
    [9 * Y + 30 * D, '9y'],
  ])('shows %d ms as %s', (ms, shown) => {
    expect(humanDuration(ms)).toBe(shown);
  });
});

describe('ageOf', () => {
  it('counts from the timestamp, and says so when there is none', () => {
    expect(ageOf('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 0, 42))).toBe('42s');
    expect(ageOf(undefined, 0)).toBe('<unknown>');
    expect(ageOf('today', 0)).toBe('<unknown>');
  });
});
