// Choosing a node: how many are looked at, where the search begins, ties, and what users are told.
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../base/random.ts';
import type { Pod } from '../../api/generated/types.ts';
import { NodeInfo } from '../snapshot/node-info.ts';
import type { FilterPlugin, ScorePlugin } from './plugin.ts';
import { enoughNodes, selectNode } from './select-node.ts';

const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
const candidate = {
  pod,
  demand: { requests: new Map(), weighs: new Map(), ports: [], claims: [] },
};
const nodes = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => new NodeInfo({ apiVersion: 'v1', kind: 'Node', metadata: { name: `n${i}` } }),
  );
const numberOf = (node: NodeInfo) => Number(node.node.metadata.name?.slice(1));
const filter = (refuse: (i: number) => string[]): FilterPlugin => ({
  name: 'F',
  filter: (_candidate, node) => refuse(numberOf(node)),
});
const score = (of: (i: number) => number): ScorePlugin => ({
  name: 'S',
  weight: 1,
  score: (_candidate, node) => of(numberOf(node)),
});
const search = (filters: FilterPlugin[] = [], scores: ScorePlugin[] = [], from = 0) => ({
  profile: { filters, scores },
  random: seededRandom(1),
  from,
});

describe('a search', () => {
  it.each([
    [0, 0],
    [1, 1],
    [100, 100],
    [150, 100],
    [1000, 420],
    [5000, 500],
    [20_000, 1000],
  ])('among %i nodes is content with %i that fit', (count, enough) => {
    expect(enoughNodes(count)).toBe(enough);
  });

  it('begins where it is told to, and goes round', () => {
    const best = search([], [score((i) => (i < 50 ? 2 : 1))], 900);
    const found = selectNode(candidate, nodes(1000), best);
    expect(found).toMatchObject({ kind: 'node', looked: 420 });
    expect(found.kind === 'node' && Number(found.name.slice(1)) < 50).toBe(true);
  });

  it('looks at every node when few fit', () => {
    const only = search([filter((i) => (i === 777 ? [] : ['no']))], [], 800);
    expect(selectNode(candidate, nodes(1000), only)).toEqual({
      kind: 'node',
      name: 'n777',
      looked: 1000,
    });
  });

  it('chooses the best, and each of equals about as often', () => {
    const counts = new Map<string, number>();
    const equal = search([], [score((i) => (i === 3 ? 0 : 5))]);
    for (let i = 0; i < 3000; i++) {
      const found = selectNode(candidate, nodes(4), equal);
      if (found.kind === 'node') counts.set(found.name, (counts.get(found.name) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['n0', 'n1', 'n2']);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('that finds nothing says why, by reason', () => {
    const none = search([
      filter((i) => (i === 0 ? ['Insufficient cpu', 'Too many pods'] : ['tainted'])),
    ]);
    expect(selectNode(candidate, nodes(3), none)).toMatchObject({
      kind: 'none',
      message: '0/3 nodes are available: 1 Insufficient cpu, 1 Too many pods, 2 tainted.',
    });
    const first = search([
      filter((i) => (i === 0 ? ['were unschedulable'] : [])),
      filter((i) => (i < 2 ? ['had a taint'] : [])),
      filter(() => ['Insufficient cpu']),
    ]);
    expect(selectNode(candidate, nodes(3), first)).toMatchObject({
      message: '0/3 nodes are available: 1 Insufficient cpu, 1 had a taint, 1 were unschedulable.',
    });
    expect(selectNode(candidate, [], search())).toMatchObject({
      kind: 'none',
      message: 'no nodes available to schedule pods',
    });
  });
});
