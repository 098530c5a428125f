// What caches keep of an object, and that nobody can change it there.
import { describe, expect, it } from 'vitest';
import { cacheable } from './freeze.ts';

const pod = () => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', labels: { a: 'b' }, managedFields: [{ manager: 'x', fieldsV1: {} }] },
});

describe('A cached object', () => {
  it('has no owners of fields, and cannot be changed', () => {
    const object = pod();
    const cached = cacheable(object);
    expect(cached).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', labels: { a: 'b' } },
    });
    expect(Object.isFrozen(cached.metadata.labels)).toBe(true);
    expect(object).toEqual(pod());
  });

  it('is shared where it was frozen before', () => {
    const frozen = Object.freeze(pod());
    expect(cacheable(frozen)).toBe(frozen);
  });
});
