// Windows, rate policies and bounds; and a property: the outcome is always on the recommended side.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import type { HorizontalPodAutoscalerBehaviorV2 } from '../../api/generated/types.ts';
import type { Normalization } from './behavior.ts';
import { behaviorOf, normalize } from './behavior.ts';
import { EMPTY_HISTORY, type History, withRecommendation, withScaleEvent } from './history.ts';

const NOW = 1_000_000_000;
const behavior = (written?: HorizontalPodAutoscalerBehaviorV2) =>
  behaviorOf({
    scaleTargetRef: { kind: 'Deployment', name: 'd' },
    maxReplicas: 1,
    behavior: written,
  });
const at = (current: number, recommended: number, more: Partial<Normalization> = {}) =>
  normalize({
    current,
    recommended,
    min: 1,
    max: 100,
    behavior: behavior(),
    history: EMPTY_HISTORY,
    nowMs: NOW,
    ...more,
  });
const recommended = (...list: [agoSeconds: number, replicas: number][]): History =>
  list
    .toSorted((a, b) => b[0] - a[0])
    .reduce<History>(
      (history, [ago, replicas]) =>
        withRecommendation(history, { atMs: NOW - ago * 1000, replicas }, 3_600_000),
      EMPTY_HISTORY,
    );
const none = { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

describe('the default behavior', () => {
  it('grows by four pods or the double in 15 s, whichever is more', () => {
    expect(at(1, 50)).toMatchObject({ replicas: 5, limited: { reason: 'ScaleUpLimit' } });
    expect(at(10, 50).replicas).toBe(20);
    expect(at(10, 15)).toMatchObject({
      replicas: 15,
      limited: { isLimited: false, reason: 'DesiredWithinRange' },
    });
  });

  it('shrinks only as far as the highest recommendation of five minutes', () => {
    const held = at(10, 2, { history: recommended([299, 7], [301, 9]) });
    expect(held).toMatchObject({ replicas: 7, able: { reason: 'ScaleDownStabilized' } });
    expect(at(10, 2, { history: recommended([301, 9]) })).toMatchObject({
      replicas: 2,
      able: { reason: 'ReadyForNewScale' },
    });
  });
});

describe('a window for growing', () => {
  const window = behavior({ scaleUp: { stabilizationWindowSeconds: 60, ...none } });

  it('grows only as far as the lowest recommendation in it', () => {
    const held = at(4, 8, { behavior: window, history: recommended([59, 5], [61, 4]) });
    expect(held).toMatchObject({ replicas: 5, able: { reason: 'ScaleUpStabilized' } });
  });

  it('does not shrink for a low recommendation in it', () => {
    expect(at(4, 8, { behavior: window, history: recommended([10, 2]) }).replicas).toBe(4);
  });
});

describe('bounds', () => {
  it('hold, and say so', () => {
    expect(at(90, 120)).toMatchObject({
      replicas: 100,
      limited: { isLimited: true, reason: 'TooManyReplicas' },
    });
    const down = { scaleDown: { stabilizationWindowSeconds: 0, ...none } };
    expect(at(5, 0, { behavior: behavior(down) })).toMatchObject({
      replicas: 1,
      limited: { isLimited: true, reason: 'TooFewReplicas' },
    });
  });
});

describe('policies', () => {
  const pods = (value: number, periodSeconds: number) => ({ type: 'Pods', value, periodSeconds });
  const percent = (value: number, periodSeconds: number) => ({
    type: 'Percent',
    value,
    periodSeconds,
  });
  const up = (...policies: ReturnType<typeof pods>[]) => ({ scaleUp: { policies } });
  const down = (selectPolicy: string, ...policies: ReturnType<typeof pods>[]) => ({
    scaleDown: { stabilizationWindowSeconds: 0, selectPolicy, policies },
  });

  it('count what was already done in their period', () => {
    const history = withScaleEvent(EMPTY_HISTORY, NOW - 5_000, { from: 6, to: 8 });
    expect(at(8, 20, { behavior: behavior(up(pods(3, 10))), history }).replicas).toBe(9);
    expect(at(8, 20, { behavior: behavior(up(pods(3, 5))), history }).replicas).toBe(11);
  });

  it('never turn a growth into a shrinking when too much was done', () => {
    const history = withScaleEvent(EMPTY_HISTORY, NOW - 5_000, { from: 2, to: 8 });
    expect(at(8, 20, { behavior: behavior(up(pods(3, 10))), history }).replicas).toBe(8);
  });

  it('give back what was taken in the period', () => {
    const history = withScaleEvent(EMPTY_HISTORY, NOW - 1_000, { from: 10, to: 4 });
    expect(at(4, 20, { behavior: behavior(up(pods(2, 60))), history }).replicas).toBe(12);
  });

  it.each([
    ['Max', 4],
    ['Min', 9],
    ['Disabled', 10],
  ])('for shrinking, of which %s is selected, leave %i of ten', (select, left) => {
    const rules = behavior(down(select, pods(1, 60), percent(60, 60)));
    expect(at(10, 1, { behavior: rules }).replicas).toBe(left);
  });

  it.each([
    ['Max', 15],
    ['Min', 11],
    ['Disabled', 10],
  ])('for growing, of which %s is selected, allow %i of ten', (selectPolicy, allowed) => {
    const policies = [pods(1, 60), percent(50, 60)];
    const rules = behavior({ scaleUp: { selectPolicy, policies } });
    expect(at(10, 99, { behavior: rules }).replicas).toBe(allowed);
  });

  it('round a growth up and a shrinking towards fewer', () => {
    expect(at(3, 99, { behavior: behavior(up(percent(10, 60))) }).replicas).toBe(4);
    expect(at(3, 1, { behavior: behavior(down('Max', percent(50, 60))) }).replicas).toBe(1);
  });
});

describe('every outcome', () => {
  it('is between the bounds, and on the side of the recommendation', () => {
    const size = fc.integer({ min: 1, max: 50 });
    const ago = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(
        size,
        fc.integer({ min: 0, max: 80 }),
        fc.array(fc.tuple(ago, size), { maxLength: 8 }),
        (current, wanted, past) => {
          const history = recommended(...past);
          const { replicas } = at(current, wanted, { min: 1, max: 50, history });
          expect(replicas).toBeGreaterThanOrEqual(1);
          expect(replicas).toBeLessThanOrEqual(50);
          if (wanted >= current) expect(replicas).toBeGreaterThanOrEqual(current);
          else expect(replicas).toBeLessThanOrEqual(current);
        },
      ),
    );
  });
});
