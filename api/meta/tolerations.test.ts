// Which tolerations cover which taints, case by case.
import { describe, expect, it } from 'vitest';
import type { Toleration } from '../generated/types.ts';
import { tolerates, untolerated } from './tolerations.ts';

const taint = { key: 'k', value: 'v', effect: 'NoSchedule' };

describe('a toleration', () => {
  it.each<[string, Toleration, boolean]>([
    ['equal in all', { key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }, true],
    ['without an operator means Equal', { key: 'k', value: 'v' }, true],
    ['of another value', { key: 'k', value: 'w' }, false],
    ['of another key', { key: 'j', value: 'v' }, false],
    ['of another effect', { key: 'k', value: 'v', effect: 'NoExecute' }, false],
    ['that its key exists', { key: 'k', operator: 'Exists' }, true],
    ['that anything exists', { operator: 'Exists' }, true],
    ['that anything exists, of another effect', { operator: 'Exists', effect: 'NoExecute' }, false],
    ['without a key and without Exists', { value: 'v' }, false],
  ])('%s', (_what, toleration, expected) => {
    expect(tolerates(toleration, taint)).toBe(expected);
  });

  it('is looked for, taint by taint', () => {
    const other = { key: 'o', effect: 'NoExecute' };
    expect(untolerated([taint, other], [{ key: 'k', operator: 'Exists' }])).toEqual([other]);
    expect(untolerated([taint], undefined)).toEqual([taint]);
    expect(untolerated(undefined, [])).toEqual([]);
  });
});
