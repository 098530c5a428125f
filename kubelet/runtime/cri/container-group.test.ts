// Tests of where figures of a container are read.
import { expect, it } from 'vitest';
import { containerGroup } from './container-group.ts';

it.each([
  ['containerd', 'abc'],
  ['cri-o', 'crio-abc'],
  ['another', 'abc'],
])('the cgroup of a container of %s is %s', (runtime, group) => {
  expect(containerGroup(runtime, 'abc')).toBe(group);
});
