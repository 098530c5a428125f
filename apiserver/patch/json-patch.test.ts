// RFC 6902 as a PATCH body uses it.
// JSON Patch: all operations, limits, and patches that try to reach prototypes.
import { describe, expect, it } from 'vitest';
import { StatusError } from '../../api/status.ts';
import { applyJsonPatch, MAX_OPERATIONS } from './json-patch.ts';

function codeOf(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    if (error instanceof StatusError) return error.code;
    throw error;
  }
  return 200;
}

describe('applyJsonPatch', () => {
  const current = Object.freeze({
    spec: Object.freeze({ replicas: 1, list: Object.freeze(['a', 'b']) }),
  });

  it('applies its operations in order, to a copy', () => {
    const value = { deep: [1] };
    const patched = applyJsonPatch(current, [
      { op: 'test', path: '/spec/replicas', value: 1 },
      { op: 'replace', path: '/spec/replicas', value: 3 },
      { op: 'add', path: '/spec/list/-', value: 'c' },
      { op: 'remove', path: '/spec/list/0' },
      { op: 'add', path: '/metadata', value },
      { op: 'copy', from: '/spec/replicas', path: '/metadata/copied' },
      { op: 'move', from: '/metadata/copied', path: '/moved' },
    ]);
    expect(patched).toEqual({ spec: { replicas: 3, list: ['b', 'c'] }, metadata: value, moved: 3 });
    expect(current.spec.list).toEqual(['a', 'b']);
    expect(patched['metadata']).not.toBe(value);
  });

  it.each([
    [{ op: 'move', path: false, from: '/spec' }, 'path'],
    [{ op: 'move', path: '/spec', from: {} }, 'from'],
    [{ op: 'copy', path: '/spec', from: 1 }, 'from'],
    [{ op: 'copy', path: '/spec' }, 'from'],
    [{ op: 'remove', path: null }, 'path'],
    [{ op: 'add', value: 1 }, 'path'],
  ])('answers 422 where %j has no pointer in a field that needs one', (operation, field) => {
    const attempt = () => applyJsonPatch(current, [operation]);
    expect(attempt).toThrow(`operation 0: ${field} has to be a JSON pointer`);
    expect(codeOf(attempt)).toBe(422);
  });

  it('takes escaped names in paths', () => {
    const annotations = { 'a/b~c': 'old' };
    const patch = [{ op: 'replace', path: '/annotations/a~1b~0c', value: 'new' }];
    expect(applyJsonPatch({ annotations }, patch)).toEqual({ annotations: { 'a/b~c': 'new' } });
  });

  it('answers 422 when an operation does not fit the object', () => {
    for (const operation of [
      { op: 'test', path: '/spec/replicas', value: 2 },
      { op: 'remove', path: '/spec/missing' },
      { op: 'replace', path: '/missing/deep', value: 1 },
      { op: 'add', path: '/spec/list/7', value: 1 },
      { op: 'replace', path: '', value: [] },
    ]) {
      expect([operation, codeOf(() => applyJsonPatch(current, [operation]))]).toEqual([
        operation,
        422,
      ]);
    }
  });

  it.each([
    [
      { op: 'add', path: '/no/where', value: 1 },
      'add operation does not apply: doc is missing path: "/no/where": missing value',
    ],
    [
      { op: 'add', path: '/list/7', value: 1 },
      "error in add for path: '/list/7': Unable to access invalid index: 7: invalid index referenced",
    ],
    [
      { op: 'add', path: '/list/x', value: 1 },
      "error in add for path: '/list/x': Unable to access invalid index: x: invalid index referenced",
    ],
    [
      { op: 'remove', path: '/a/gone' },
      "error in remove for path: '/a/gone': Unable to remove nonexistent key: gone: missing value",
    ],
    [
      { op: 'remove', path: '/no/where' },
      'remove operation does not apply: doc is missing path: "/no/where": missing value',
    ],
    [
      { op: 'remove', path: '/list/2' },
      "error in remove for path: '/list/2': Unable to access invalid index: 2: invalid index referenced",
    ],
    [
      { op: 'replace', path: '/a/gone', value: 1 },
      'replace operation does not apply: doc is missing key: /a/gone: missing value',
    ],
    [
      { op: 'replace', path: '/a/b/c', value: 1 },
      'replace operation does not apply: doc is missing path: /a/b/c: missing value',
    ],
    [{ op: 'test', path: '/a/b', value: 2 }, 'testing value /a/b failed: test failed'],
    [{ op: 'test', path: '/a/gone', value: 2 }, 'testing value /a/gone failed: test failed'],
    [
      { op: 'test', path: '/no/where', value: 2 },
      'test operation does not apply: is missing path: /no/where: missing value',
    ],
    [
      { op: 'move', from: '/no/where', path: '/a/b' },
      'move operation does not apply: doc is missing from path: /no/where: missing value',
    ],
    [
      { op: 'move', from: '/a/b', path: '/no/where' },
      'move operation does not apply: doc is missing destination path: /no/where: missing value',
    ],
    [
      { op: 'copy', from: '/no/where', path: '/a/b' },
      'copy operation does not apply: doc is missing from path: /no/where: missing value',
    ],
    [
      { op: 'copy', from: '/a/b', path: '/no/where' },
      'copy operation does not apply: doc is missing destination path: /no/where: missing value',
    ],
  ])("tells in upstream's words why %j does not apply", (operation, words) => {
    const document = { a: { b: 1 }, list: [1, 2] };
    expect(() => applyJsonPatch(document, [operation])).toThrow(
      `the server rejected our request due to an error in our request: ${words}`,
    );
  });

  it.each([
    ['', '/a'],
    ['/a', '/a/b'],
  ])('answers 422 where %j would move into itself', (from, path) => {
    const attempt = () => applyJsonPatch({ a: { b: 1 } }, [{ op: 'move', from, path }]);
    expect(attempt).toThrow('a value cannot move into itself');
    const beside = [{ op: 'move', from: '/a/b', path: '/a/bc' }];
    expect(applyJsonPatch({ a: { b: 1 } }, beside)).toEqual({ a: { bc: 1 } });
  });

  it('answers 400 to what is no JSON patch', () => {
    expect(codeOf(() => applyJsonPatch(current, { spec: {} }))).toBe(400);
    expect(codeOf(() => applyJsonPatch(current, [{ op: 'frob', path: '/' }]))).toBe(400);
    expect(codeOf(() => applyJsonPatch(current, ['add']))).toBe(400);
  });

  it('answers 413 to too many operations, and to copies that multiply the object', () => {
    const operation = { op: 'test', path: '/spec/replicas', value: 1 };
    const many = Array.from({ length: MAX_OPERATIONS + 1 }, () => operation);
    expect(codeOf(() => applyJsonPatch(current, many))).toBe(413);
    const doubling = Array.from({ length: 60 }, (_, n) => ({
      op: 'copy',
      from: '/a',
      path: `/a/${n}`,
    }));
    expect(codeOf(() => applyJsonPatch({ a: {} }, doubling))).toBe(413);
  });

  it('never reaches a prototype', () => {
    for (const path of ['/__proto__/polluted', '/constructor/prototype/polluted']) {
      expect(codeOf(() => applyJsonPatch({}, [{ op: 'add', path, value: 1 }]))).toBe(422);
    }
    expect('polluted' in {}).toBe(false);
  });
});

it('says so when operations go on after the object is gone', () => {
  const patch = [
    { op: 'remove', path: '' },
    { op: 'add', path: '/a', value: 1 },
  ];
  expect(() => applyJsonPatch({ a: 1 }, patch)).toThrow('operation 1: the ones before it leave no');
});
