// What a reconcile may answer, and what is said about the rest.
import { describe, expect, it } from 'vitest';
import { checkedResult } from './checked-result.ts';
import { done, requeueAfter } from './reconciler.ts';

describe('checkedResult', () => {
  it('takes results, and nothing for done', () => {
    expect([undefined, done, requeueAfter(0), requeueAfter(5)].map(checkedResult)).toEqual([
      done,
      done,
      requeueAfter(0),
      requeueAfter(5),
    ]);
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  it.each([
    [{ requeue: true }, /answered \{"requeue":true\}.*throw to be asked again/],
    [{ requeueAfter: 5 }, /answer requeueAfter\(ms\), which the framework exports/],
    [5000, /answered 5000.*answer requeueAfter\(5000\)/],
    [requeueAfter(Number.NaN), /requeueAfter takes milliseconds/],
    [requeueAfter(-1), /requeueAfter takes milliseconds/],
    [requeueAfter(Infinity), /requeueAfter takes milliseconds/],
    [{ kind: 'requeueAfter', ms: '5' }, /requeueAfter takes milliseconds/],
    [null, /answered null.*answer done/],
    [true, /answered true.*answer done/],
    [circular, /answered object.*answer done/],
    [() => 1, /answered function.*answer done/],
    [{ kind: 'x'.repeat(500) }, /^.{0,200}$/],
  ])('refuses %o, and says what to answer', (answer, message) => {
    expect(() => checkedResult(answer)).toThrow(message);
  });
});
