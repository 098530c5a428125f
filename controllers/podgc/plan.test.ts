// Which ended pods go, and where pods are found.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { planTerminated } from './plan.ts';
import { placesOf } from './reconcile.ts';

const pod = (
  name: string,
  traits: Partial<Pod['metadata']> & { node?: string; phase?: string } = {},
): Pod => {
  const { node, phase, ...metadata } = traits;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { containers: [], ...(node ? { nodeName: node } : {}) },
    status: { phase: phase ?? 'Running' },
  };
};

describe('ended pods', () => {
  it('go past the number that is kept, the oldest first', () => {
    const at = (name: string, day: number) =>
      pod(name, { creationTimestamp: `2026-01-0${day}T00:00:00Z` });
    const plan = planTerminated([at('b', 2), at('c', 3), at('a', 1)], 1);
    expect(plan.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(planTerminated([at('b', 2)], 1)).toEqual([]);
  });
});

describe('the place of a pod', () => {
  const leaving = { deletionTimestamp: '2026-01-01T00:00:00Z' };

  it('is its node, its end, or nowhere while it leaves without a node', () => {
    expect(placesOf(pod('p', { node: 'n' }))).toEqual(['node:n']);
    expect(placesOf(pod('p', { node: 'n', phase: 'Failed' }))).toEqual(['node:n', 'ended']);
    expect(placesOf(pod('p', leaving))).toEqual(['leaving']);
    expect(placesOf(pod('p'))).toEqual([]);
  });
});
