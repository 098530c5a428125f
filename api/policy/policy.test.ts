// PodDisruptionBudgets: rules with their fields and types, status, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { PodDisruptionBudgetStatus } from '../generated/types.ts';
import { podDisruptionBudgetDefinition } from './pod-disruption-budget.ts';

const selector = { matchLabels: { app: 'web' } };
const budget = (spec: object = {}) =>
  made(podDisruptionBudgetDefinition, { spec: { selector, ...spec } });

describe('PodDisruptionBudgets', () => {
  it.each<[string, object, string[]]>([
    ['so many pods', { minAvailable: 2 }, []],
    ['a share of them', { maxUnavailable: '30%' }, []],
    ['nothing said', {}, []],
    ['both ways', { minAvailable: 1, maxUnavailable: 1 }, ['spec Invalid']],
    ['fewer than none', { minAvailable: -1 }, ['spec.minAvailable Invalid']],
    ['more than all', { maxUnavailable: '101%' }, ['spec.maxUnavailable Invalid']],
    ['a share that is none', { minAvailable: 'some' }, ['spec.minAvailable Invalid']],
    [
      'an odd selector',
      { selector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } },
      ['spec.selector.matchExpressions[0].operator Invalid'],
    ],
    [
      'an odd policy',
      { unhealthyPodEvictionPolicy: 'Odd' },
      ['spec.unhealthyPodEvictionPolicy NotSupported'],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(podDisruptionBudgetDefinition, budget(spec))).toEqual(errors);
  });

  it('allow nothing at first', () => {
    const one = budget({ minAvailable: 1 });
    podDisruptionBudgetDefinition.prepareForCreate?.(one);
    expect(one.status).toEqual({
      disruptionsAllowed: 0,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
    });
  });

  it.each<[string, PodDisruptionBudgetStatus, string[]]>([
    ['figures', { disruptionsAllowed: 1, currentHealthy: 2 }, []],
    ['figures below zero', { disruptionsAllowed: -1 }, ['status.disruptionsAllowed']],
    [
      'a condition of nothing',
      {
        conditions: [{ type: '', status: 'Odd', lastTransitionTime: '', message: '', reason: '' }],
      },
      [
        'status.conditions[0].type',
        'status.conditions[0].status',
        'status.conditions[0].lastTransitionTime',
        'status.conditions[0].reason',
      ],
    ],
  ])('have a status of %s', (_, status, fields) => {
    const errors = podDisruptionBudgetDefinition.validateStatus?.(
      { ...budget(), status },
      budget(),
    );
    expect(errors?.map(({ field }) => field)).toEqual(fields);
  });

  it('show how many pods may go', () => {
    const status = { disruptionsAllowed: 3 };
    expect(
      cells(podDisruptionBudgetDefinition, { ...budget({ minAvailable: 2 }), status }),
    ).toEqual({
      Name: 'x',
      'Min Available': '2',
      'Max Unavailable': 'N/A',
      'Allowed Disruptions': 3,
      Age: '<unknown>',
    });
  });
});
