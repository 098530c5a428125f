// Rules of metadata on create and update.
import { describe, expect, it } from 'vitest';
import { dnsLabel } from './names.ts';
import type { ObjectMeta } from './object.ts';
import {
  ANNOTATIONS_LIMIT_BYTES,
  validateMetaOnCreate,
  validateMetaOnUpdate,
} from './validate-meta.ts';

const namespaced = { namespaced: true };
const fine: ObjectMeta = { name: 'web', namespace: 'shop' };
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: 'u1' };

describe('metadata of a new object', () => {
  it('passes when it is in order', () => {
    const meta: ObjectMeta = {
      ...fine,
      generateName: 'web-',
      labels: { app: 'web' },
      annotations: { 'Example.com/Note': 'any text at all, ü' },
      finalizers: ['example.com/hold'],
      ownerReferences: [{ ...owner, controller: true }],
    };
    expect(validateMetaOnCreate(meta, namespaced)).toEqual([]);
  });

  it.each<[string, ObjectMeta, string]>([
    ['no name', { namespace: 'a' }, 'metadata.name: Required value: name or generateName'],
    ['a bad name', { ...fine, name: 'Web' }, 'metadata.name: Invalid value: "Web"'],
    ['a bad prefix', { ...fine, generateName: 'W-' }, 'metadata.generateName: Invalid value: "W-"'],
    ['no namespace', { name: 'a' }, 'metadata.namespace: Required value'],
    [
      'a bad namespace',
      { name: 'a', namespace: 'a.b' },
      'metadata.namespace: Invalid value: "a.b"',
    ],
    ['a bad label', { ...fine, labels: { a: '-' } }, 'metadata.labels: Invalid value: "-"'],
    ['a bad annotation', { ...fine, annotations: { 'a b': '' } }, 'metadata.annotations: Invalid'],
    ['a bad finalizer', { ...fine, finalizers: ['a b'] }, 'metadata.finalizers: Invalid'],
    [
      'an owner without uid',
      { ...fine, ownerReferences: [{ ...owner, uid: '' }] },
      'metadata.ownerReferences.uid: Invalid value: "": uid must not be empty',
    ],
    [
      'two controllers',
      {
        ...fine,
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, name: 'b', controller: true },
        ],
      },
      'Found "true" in references for a and b',
    ],
    [
      'an event as owner',
      { ...fine, ownerReferences: [{ ...owner, apiVersion: 'v1', kind: 'Event' }] },
      'disallowed from being an owner',
    ],
    [
      'too many annotations',
      { ...fine, annotations: { a: 'x'.repeat(ANNOTATIONS_LIMIT_BYTES) } },
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
  ])('is refused with %s', (_what, meta, text) => {
    const errors = validateMetaOnCreate(meta, namespaced);
    expect(errors.map((e) => `${e.field}: ${e.message}`).join('\n')).toContain(text);
    expect(errors).toHaveLength(1);
  });

  it('has no namespace where the kind has none', () => {
    expect(validateMetaOnCreate(fine, { namespaced: false })).toMatchObject([
      { field: 'metadata.namespace', message: 'Forbidden: not allowed on this type' },
    ]);
  });

  it("follows the kind's own rule for names", () => {
    const meta = { ...fine, name: 'a.b' };
    expect(validateMetaOnCreate(meta, namespaced)).toEqual([]);
    expect(validateMetaOnCreate(meta, { ...namespaced, validateName: dnsLabel })).toHaveLength(1);
  });
});

describe('metadata of a changed object', () => {
  const old: ObjectMeta = {
    ...fine,
    uid: 'u',
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 2,
  };

  it('keeps what the writer left out', () => {
    expect(validateMetaOnUpdate({ ...fine }, old)).toEqual([]);
    expect(validateMetaOnUpdate({ ...old, labels: { a: 'b' } }, old)).toEqual([]);
  });

  it.each<[Partial<ObjectMeta>, string]>([
    [{ name: 'other' }, 'metadata.name'],
    [{ namespace: 'other' }, 'metadata.namespace'],
    [{ uid: 'other' }, 'metadata.uid'],
    [{ creationTimestamp: '2027-01-01T00:00:00Z' }, 'metadata.creationTimestamp'],
    [{ deletionTimestamp: '2027-01-01T00:00:00Z' }, 'metadata.deletionTimestamp'],
  ])('refuses %j', (change, field) => {
    expect(validateMetaOnUpdate({ ...old, ...change }, old)).toMatchObject([
      { field, message: expect.stringContaining('field is immutable') },
    ]);
  });

  it('takes no new finalizers once it is going away', () => {
    const leaving = { ...old, deletionTimestamp: '2026-01-02T00:00:00Z', finalizers: ['a.b/c'] };
    expect(validateMetaOnUpdate({ ...leaving, finalizers: [] }, leaving)).toEqual([]);
    expect(
      validateMetaOnUpdate({ ...leaving, finalizers: ['a.b/c', 'd.e/f'] }, leaving),
    ).toMatchObject([{ field: 'metadata.finalizers', type: 'FieldValueForbidden' }]);
  });
});
