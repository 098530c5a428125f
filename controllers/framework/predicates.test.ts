// Ready-made predicates: which changes count.
import { describe, expect, it } from 'vitest';
import type { KubeObject, ObjectMeta } from '../../api/meta/object.ts';
import {
  annotationsChanged,
  anyOf,
  generationChanged,
  labelsChanged,
  resourceVersionChanged,
} from './predicates.ts';

const object = (metadata: Partial<ObjectMeta>): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name: 'a', generation: 1, ...metadata },
});
const before = object({ resourceVersion: '1', labels: { a: 'b' } });

describe('predicates', () => {
  it.each([
    [generationChanged, object({ generation: 2 }), object({ resourceVersion: '2' })],
    [labelsChanged, object({}), object({ labels: { a: 'b' }, annotations: { a: 'b' } })],
    [annotationsChanged, object({ annotations: { a: 'b' } }), object({ labels: {} })],
    [resourceVersionChanged, object({ resourceVersion: '2' }), object({ resourceVersion: '1' })],
  ] as const)('%o passes its own change and no other', (predicate, own, other) => {
    expect([predicate(own, before, 'update'), predicate(other, before, 'update')]).toEqual([
      true,
      false,
    ]);
    expect(predicate(before, undefined, 'add') && predicate(before, undefined, 'delete')).toBe(
      true,
    );
    expect(predicate(before, before, 'update')).toBe(true);
  });

  it('count every change of kinds that keep no generation', () => {
    const config = { ...before, metadata: { name: 'a', resourceVersion: '1' } };
    expect(generationChanged({ ...config, metadata: { name: 'a' } }, config, 'update')).toBe(true);
  });

  it('pass where one of several does', () => {
    const either = anyOf(generationChanged, labelsChanged);
    const wake = (metadata: Partial<ObjectMeta>) => either(object(metadata), before, 'update');
    expect([
      wake({}),
      wake({ labels: { a: 'b' } }),
      wake({ labels: { a: 'b' }, generation: 2 }),
    ]).toEqual([true, false, true]);
  });
});
