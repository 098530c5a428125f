// Tests of what is told of a node.
import { expect, it } from 'vitest';
import type { NodeCondition } from '../../api/generated/types.ts';
import { nodeNews } from './node-news.ts';

const are = (conditions: Readonly<Record<string, string>>): NodeCondition[] =>
  Object.entries(conditions).map(([type, status]) => ({ type, status }));
const news = (...[before, now]: (NodeCondition[] | undefined)[]) =>
  nodeNews('n1', before, now).map(({ reason }) => reason);

it('all conditions of a new node are told, and later those that change', () => {
  const fine = are({
    MemoryPressure: 'False',
    DiskPressure: 'False',
    PIDPressure: 'False',
    Ready: 'True',
  });
  expect(news(undefined, fine)).toEqual([
    'NodeHasSufficientMemory',
    'NodeHasNoDiskPressure',
    'NodeHasSufficientPID',
    'NodeReady',
  ]);
  expect(news(fine, fine)).toEqual([]);
  expect(news(fine, are({ Ready: 'False' }))).toEqual(['NodeNotReady']);
  expect(news(are({ Ready: 'Unknown' }), are({ Ready: 'True', Foreign: 'True' }))).toEqual([
    'NodeReady',
  ]);
  expect(nodeNews('n1', [], are({ DiskPressure: 'True' }))).toEqual([
    {
      type: 'Normal',
      reason: 'NodeHasDiskPressure',
      message: 'Node n1 status is now: NodeHasDiskPressure',
    },
  ]);
});
