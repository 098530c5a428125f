// Conditions: the transition time follows the status alone.
import { describe, expect, it } from 'vitest';
import type { ConditionShape } from './conditions.ts';
import { findCondition, isConditionTrue, removeCondition, setCondition } from './conditions.ts';

const at = (seconds: number) => Date.UTC(2026, 0, 1, 0, 0, seconds);
const ready: ConditionShape = { type: 'Ready', status: 'True', reason: 'Up' };

describe('conditions', () => {
  it('get a transition time when they first appear', () => {
    expect(setCondition(undefined, ready, at(1))).toEqual([
      { ...ready, lastTransitionTime: '2026-01-01T00:00:01Z' },
    ]);
  });

  it('keep it while the status stays, whatever else changes', () => {
    const first = setCondition([], ready, at(1));
    const second = setCondition(first, { ...ready, reason: 'StillUp' }, at(2));
    expect(second).toEqual([
      {
        type: 'Ready',
        status: 'True',
        reason: 'StillUp',
        lastTransitionTime: '2026-01-01T00:00:01Z',
      },
    ]);
    const third = setCondition(second, { ...ready, status: 'False' }, at(3));
    expect(third[0]?.lastTransitionTime).toBe('2026-01-01T00:00:03Z');
    expect(first[0]?.reason).toBe('Up');
  });

  it('keep their places', () => {
    const both = setCondition(setCondition([], ready, at(1)), { type: 'B', status: 'True' }, at(1));
    const changed = setCondition(both, { ...ready, status: 'False' }, at(2));
    expect(changed.map((condition) => condition.type)).toEqual(['Ready', 'B']);
    expect(isConditionTrue(changed, 'Ready')).toBe(false);
    expect(isConditionTrue(changed, 'B')).toBe(true);
    expect(findCondition(changed, 'C')).toBeUndefined();
    expect(removeCondition(changed, 'Ready')).toHaveLength(1);
  });
});
