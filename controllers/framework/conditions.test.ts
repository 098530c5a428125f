// Conditions move their transition time with their status, and only then.
import { describe, expect, it } from 'vitest';
import type { ConditionFields } from './conditions.ts';
import { findCondition, isConditionTrue, withCondition, withoutCondition } from './conditions.ts';

const list: readonly ConditionFields[] = Object.freeze([
  { type: 'Ready', status: 'True', reason: 'Up', message: '', lastTransitionTime: 't0' },
  { type: 'Other', status: 'False', lastTransitionTime: 't0' },
]);

describe('withCondition', () => {
  it('answers the same list where nothing changes but times', () => {
    const same = { type: 'Ready', status: 'True', reason: 'Up', lastTransitionTime: 't9' };
    expect(withCondition(list, same, 't1')).toBe(list);
  });

  it('keeps the transition time when only reason or message change', () => {
    const next = withCondition(list, { type: 'Ready', status: 'True', reason: 'Fine' }, 't1');
    expect(next).toEqual([
      { type: 'Ready', status: 'True', reason: 'Fine', lastTransitionTime: 't0' },
      list[1],
    ]);
  });

  it('moves the transition time with the status, in the old place', () => {
    const next = withCondition(list, { type: 'Ready', status: 'False', reason: 'Down' }, 't1');
    expect(next.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ['Ready', 't1'],
      ['Other', 't0'],
    ]);
  });

  it('adds what was not there', () => {
    expect(withCondition(undefined, { type: 'New', status: 'True' }, 't1')).toEqual([
      { type: 'New', status: 'True', lastTransitionTime: 't1' },
    ]);
  });

  it('moves lastUpdateTime with any change, for kinds that have one', () => {
    const before = {
      type: 'P',
      status: 'True',
      reason: 'A',
      lastUpdateTime: 't0',
      lastTransitionTime: 't0',
    };
    const next = withCondition([before], { ...before, reason: 'B' }, 't1');
    expect(next).toEqual([{ ...before, reason: 'B', lastUpdateTime: 't1' }]);
  });
});

describe('conditions', () => {
  it('are found, asked and taken away by type', () => {
    expect(findCondition(list, 'Other')?.status).toBe('False');
    expect([isConditionTrue(list, 'Ready'), isConditionTrue(list, 'Other')]).toEqual([true, false]);
    expect(isConditionTrue(undefined, 'Ready')).toBe(false);
    expect(withoutCondition(list, 'Ready')).toEqual([list[1]]);
    expect(withoutCondition(list, 'None')).toBe(list);
  });
});
