// Which of two pods goes first, rule by rule.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import { DELETION_COST, deletionOrder } from './deletion-order.ts';

const NOW = Date.UTC(2026, 0, 2);
const HOUR = 3_600_000;

interface Traits {
  node?: string;
  phase?: string;
  ready?: boolean;
  readyAgoMs?: number;
  cost?: string;
  restarts?: number;
  ageMs?: number;
}

const aPod = (name: string, traits: Traits = {}): Pod => {
  const { node = 'n', phase = 'Running', ready = true, restarts = 0 } = traits;
  const since = formatTime(NOW - (traits.readyAgoMs ?? 8 * HOUR));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      creationTimestamp: formatTime(NOW - (traits.ageMs ?? 8 * HOUR)),
      ...(traits.cost === undefined ? {} : { annotations: { [DELETION_COST]: traits.cost } }),
    },
    spec: { containers: [], ...(node ? { nodeName: node } : {}) },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: since }],
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready, restartCount: restarts }],
    },
  };
};
const first = (pods: Pod[], crowding: (pod: Pod) => number = () => 1) =>
  deletionOrder(pods, { nowMs: NOW, crowding })[0]?.metadata.name;

describe('the order of deletion', () => {
  it.each<[string, Traits, Traits]>([
    ['without a node', { node: '' }, {}],
    ['still pending', { phase: 'Pending' }, {}],
    ['not ready', { ready: false }, {}],
    ['said to be cheap', { cost: '-5' }, {}],
    ['cheaper', { cost: '1' }, { cost: '10' }],
    ['ready for a shorter time', { readyAgoMs: 1000 }, { readyAgoMs: 8 * HOUR }],
    ['restarted more often', { restarts: 3 }, { restarts: 1 }],
    ['younger', { ageMs: 60_000 }, { ageMs: 8 * HOUR }],
    ['without a node, however cheap the other', { node: '' }, { cost: '-100' }],
    ['not ready, however cheap the other', { ready: false }, { cost: '-100' }],
  ])('takes the pod that is %s first', (_why, goes, stays) => {
    expect(first([aPod('stays', stays), aPod('goes', goes)])).toBe('goes');
    expect(first([aPod('goes', goes), aPod('stays', stays)])).toBe('goes');
  });

  it('takes a pod on a crowded node before one that is alone', () => {
    const pods = [aPod('alone', { node: 'a' }), aPod('crowded', { node: 'b' })];
    expect(first(pods, (pod) => (pod.spec?.nodeName === 'b' ? 2 : 1))).toBe('crowded');
  });

  it('does not tell pods of about one age apart by age', () => {
    const pods = [aPod('b', { ageMs: 3 * HOUR }), aPod('a', { ageMs: 3.1 * HOUR })];
    expect(first(pods)).toBe('a');
  });

  it('takes a cost that is no number for none', () => {
    expect(first([aPod('b', { cost: 'cheap' }), aPod('a', { cost: '-1' })])).toBe('a');
    expect(first([aPod('b', { cost: '+1' }), aPod('a')])).toBe('a');
  });
});
