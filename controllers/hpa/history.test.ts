// What is remembered of recommendations and changes, and that it stays bounded.
import { describe, expect, it } from 'vitest';
import {
  changeSince,
  EMPTY_HISTORY,
  type History,
  MAX_SCALE_EVENTS,
  withRecommendation,
  withScaleEvent,
} from './history.ts';

describe('the history', () => {
  it('keeps the lowest and the highest of each second, and nothing past the window', () => {
    let history: History = EMPTY_HISTORY;
    for (let i = 0; i < 50_000; i++)
      history = withRecommendation(history, { atMs: i * 200, replicas: i % 7 }, 60_000);
    expect(history.recommendations.length).toBeLessThanOrEqual(61);
    const one = withRecommendation(EMPTY_HISTORY, { atMs: 100, replicas: 5 }, 60_000);
    const two = withRecommendation(one, { atMs: 900, replicas: 2 }, 60_000);
    expect(two.recommendations).toEqual([{ atMs: 900, least: 2, most: 5 }]);
  });

  it('keeps a bounded number of scale events, each way', () => {
    let history: History = EMPTY_HISTORY;
    for (let i = 0; i < MAX_SCALE_EVENTS + 10; i++)
      history = withScaleEvent(history, i, { from: 1, to: 2 });
    expect(history.scaleUps).toHaveLength(MAX_SCALE_EVENTS);
    const down = withScaleEvent(EMPTY_HISTORY, 0, { from: 5, to: 3 });
    expect(down.scaleDowns).toEqual([{ atMs: 0, change: 2 }]);
    expect(withScaleEvent(EMPTY_HISTORY, 0, { from: 5, to: 5 })).toEqual(EMPTY_HISTORY);
  });

  it('adds up changes since a moment, that moment not among them', () => {
    const events = [10, 20, 30].map((atMs) => ({ atMs, change: 2 }));
    expect(changeSince(events, 20)).toBe(2);
    expect(changeSince(events, 9)).toBe(6);
  });
});
