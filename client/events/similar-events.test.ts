// Which messages of a group are told by themselves, and from when on they are combined.
import { describe, expect, it } from 'vitest';
import {
  MAX_GROUPS,
  MAX_SIMILAR_EVENTS,
  SIMILAR_WINDOW_MS,
  SimilarEvents,
} from './similar-events.ts';

describe('SimilarEvents', () => {
  const filled = () => {
    const similar = new SimilarEvents();
    for (let i = 0; i < MAX_SIMILAR_EVENTS; i++)
      expect(similar.combines('a', `message ${i}`, 0)).toBe(false);
    return similar;
  };

  it('combines what comes after so many different messages, each group by itself', () => {
    const similar = filled();
    expect(similar.combines('a', 'another', 1)).toBe(true);
    expect(similar.combines('a', 'message 3', 1)).toBe(false);
    expect(similar.combines('b', 'another', 1)).toBe(false);
  });

  it('begins anew once nothing was heard for so long', () => {
    const similar = filled();
    expect(similar.combines('a', 'another', SIMILAR_WINDOW_MS - 1)).toBe(true);
    expect(similar.combines('a', 'another', 2 * SIMILAR_WINDOW_MS - 1)).toBe(false);
  });

  it('forgets the group longest unused when there are too many', () => {
    const similar = filled();
    for (let i = 0; i < MAX_GROUPS; i++) similar.combines(`group ${i}`, 'm', 0);
    expect(similar.combines('a', 'another', 1)).toBe(false);
  });
});
