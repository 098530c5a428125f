// The gap: JSON keeps its meaning whatever revision is written into it.
// Readers must never see that there is a gap.
import { describe, expect, it } from 'vitest';
import type { LooseObject } from '../../api/meta/object.ts';
import {
  encodeObject,
  fillRevision,
  readRevision,
  REVISION_WIDTH,
  withRevision,
} from './revision-gap.ts';

const parse = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as unknown;

describe('encodeObject', () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'ä', resourceVersion: '7', labels: { a: '"resourceVersion":"1"' } },
    spec: { text: '\u0000"\\', absent: undefined },
  };

  it('keeps every field but the resourceVersion, which is the revision without padding', () => {
    for (const revision of [1n, 42n, 9_999_999_999_999_999n]) {
      const { bytes, revisionAt } = encodeObject(pod);
      fillRevision(bytes, revisionAt, revision);
      expect(parse(bytes)).toEqual({
        ...pod,
        metadata: { ...pod.metadata, resourceVersion: String(revision) },
        spec: { text: '\u0000"\\' },
      });
      expect(readRevision(bytes, revisionAt)).toBe(revision);
    }
  });

  it('keeps owners as they are, whatever an entry holds', () => {
    const fieldsV1 = { 'f:spec': { '.': {}, 'f:"a"': {} } };
    const shared = Object.freeze({ 'f:data': Object.freeze({}) });
    for (const managedFields of [
      [],
      [
        { manager: 'a', fieldsV1, subresource: 'status' },
        { fieldsV1: shared },
        { fieldsV1: shared },
      ],
      [{}, { manager: 'b' }, { fieldsV1: null }, { fieldsV1: 5 }, { fieldsV1: {} }],
    ]) {
      const labels = { a: '"metadata":{"resourceVersion":"1"' };
      const metadata = { ...pod.metadata, labels, managedFields } as LooseObject['metadata'];
      const { bytes, revisionAt } = encodeObject({ ...pod, metadata });
      fillRevision(bytes, revisionAt, 9n);
      expect(parse(bytes)).toMatchObject({ metadata: { ...metadata, resourceVersion: '9' } });
      expect(readRevision(bytes, revisionAt)).toBe(9n);
    }
  });

  it('is JSON before any revision is known, and when there is nothing but metadata', () => {
    const { bytes } = encodeObject({ apiVersion: 'v1', kind: 'Pod', metadata: {} });
    expect(parse(bytes)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { resourceVersion: '' },
    });
  });

  it('refuses a revision wider than the gap', () => {
    const { bytes, revisionAt } = encodeObject(pod);
    expect(() => fillRevision(bytes, revisionAt, 10n ** BigInt(REVISION_WIDTH - 2))).toThrow(
      'fits its gap',
    );
  });

  it('writes a shorter revision over a longer one without a trace', () => {
    const { bytes, revisionAt } = encodeObject(pod);
    fillRevision(bytes, revisionAt, 123_456n);
    const copy = withRevision({ key: 'k', revision: 123_456n, bytes, revisionAt }, 7n);
    expect(readRevision(copy, revisionAt)).toBe(7n);
    expect(readRevision(bytes, revisionAt)).toBe(123_456n);
    expect(parse(copy)).toMatchObject({ metadata: { resourceVersion: '7' } });
  });
});
