// Which pods make room: as few as will do, and those that lose least.
import { expect, it } from 'vitest';
import type { Pod, PodSpec } from '../../api/generated/types.ts';
import { aContainer, aPod } from '../pods/fixtures/pod-scenes.ts';
import { choosePreempted } from './preemption.ts';

const CRITICAL = aPod({ priority: 2_000_000_000 });

function of(name: string, cpu: string | undefined, more: Partial<PodSpec> = {}): Pod {
  const resources = cpu === undefined ? {} : { requests: { cpu } };
  const pod = aPod({ containers: [aContainer('app', { resources })], ...more });
  return { ...pod, metadata: { name, uid: name } };
}

function guaranteed(name: string, cpu: string): Pod {
  const limits = { cpu, memory: '1Mi' };
  return of(name, undefined, { containers: [aContainer('app', { resources: { limits } })] });
}

const chosen = (others: Pod[], amount: number, { resource = 'cpu', pod = CRITICAL } = {}) => {
  const choice = choosePreempted(pod, others, [{ resource, amount }]);
  return choice.kind === 'pods' ? choice.pods.map(({ metadata }) => metadata.name) : choice.unmet;
};

it('takes the smallest pod that is enough', () => {
  expect(chosen([of('small', '100m'), of('fits', '500m'), of('large', '2')], 400)).toEqual([
    'fits',
  ]);
});

it('takes several where none is enough, the largest first', () => {
  expect(chosen([of('a', '100m'), of('b', '300m'), of('c', '200m')], 450)).toEqual(['b', 'c']);
});

it('spares guaranteed pods while others will do', () => {
  expect(
    chosen([guaranteed('dear', '500m'), of('cheap', '300m'), of('other', '300m')], 500),
  ).toEqual(['cheap', 'other']);
  expect(chosen([guaranteed('dear', '500m'), of('cheap', '100m')], 500)).toEqual(['dear']);
});

it('takes one that asks for nothing where a place is all that is missing', () => {
  expect(chosen([of('asks', '1'), of('none', undefined)], 1, { resource: 'pods' })).toEqual([
    'none',
  ]);
});

it('says what cannot be met, and takes nobody then', () => {
  expect(chosen([of('a', '100m')], 450)).toEqual([{ resource: 'cpu', amount: 350 }]);
});

it('ends none that are as important', () => {
  const equal = of('equal', '1', { priority: 2_000_000_000 });
  expect(chosen([equal], 500)).toEqual([{ resource: 'cpu', amount: 500 }]);
  const node = aPod({ priority: 2_000_001_000 });
  expect(chosen([equal], 500, { pod: node })).toEqual(['equal']);
});
