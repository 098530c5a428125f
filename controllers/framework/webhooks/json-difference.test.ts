// What a mutating webhook's patch does and how long it is: by what RFC 6902 says of operations, applied by the server's own code.
import { fc } from '../../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { applyJsonPatch } from '../../../apiserver/patch/json-patch.ts';
import { jsonDifference, MAX_COMPARED_PAIRS, MAX_PATCH_OPERATIONS } from './json-difference.ts';

const key = fc.constantFrom('a', 'b', 'name', 'a/b', 'm~n', '~1', '');
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, 0, 1, 'x', 'y', 9007199254740993n),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}));
const object = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });

describe('the patch between two objects', () => {
  it('gives the one from the other, whatever they are', () => {
    fc.assert(
      fc.property(object, object, (before, after) => {
        expect(applyJsonPatch(before, jsonDifference(before, after))).toEqual(after);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives lists that were edited here and there', () => {
    const items = fc.array(
      fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), v: fc.nat(2) }),
    );
    fc.assert(
      fc.property(items, items, (before, after) => {
        const patch = jsonDifference({ items: before }, { items: after });
        expect(applyJsonPatch({ items: before }, patch)).toEqual({ items: after });
        const replaced = [{ op: 'replace', path: '/items', value: after }];
        // Lengths are weighed by estimates.
        const longest = JSON.stringify(replaced).length * 1.2;
        if (patch.length > 1) expect(JSON.stringify(patch).length).toBeLessThanOrEqual(longest);
      }),
      { numRuns: 1000 },
    );
  });

  const long = 'a long text that nobody wants to see again in a patch';
  const pod = {
    metadata: { labels: { app: 'a', 'example.com/x': '1' }, annotations: { [long]: long } },
    spec: {
      containers: ['a', 'b', 'c'].map((name) => ({ name, image: long, args: [long, name] })),
    },
  };
  const [a, b, c] = pod.spec.containers as [object, object, object];
  const CASES: readonly (readonly [string, object, readonly object[]])[] = [
    ['nothing', structuredClone(pod), []],
    [
      'a label',
      { ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, 'm/n~o': '2' } } },
      [{ op: 'add', path: '/metadata/labels/m~1n~0o', value: '2' }],
    ],
    [
      'a label that goes, by leaving it out or by undefined',
      { ...pod, metadata: { ...pod.metadata, labels: { app: 'a', 'example.com/x': undefined } } },
      [{ op: 'remove', path: '/metadata/labels/example.com~1x' }],
    ],
    [
      'a field of an item in a list',
      { ...pod, spec: { containers: [a, { ...b, image: 'b:2' }, c] } },
      [{ op: 'replace', path: '/spec/containers/1/image', value: 'b:2' }],
    ],
    [
      'an item in front',
      { ...pod, spec: { containers: [{ name: 'sidecar' }, a, b, c] } },
      [{ op: 'add', path: '/spec/containers/0', value: { name: 'sidecar' } }],
    ],
    [
      'an item out of the middle, and one at the end',
      { ...pod, spec: { containers: [a, c, { name: 'd' }] } },
      [
        { op: 'remove', path: '/spec/containers/1' },
        { op: 'add', path: '/spec/containers/2', value: { name: 'd' } },
      ],
    ],
    [
      'an argument of an argument list',
      { ...pod, spec: { containers: [{ ...a, args: [long, '-v', 'a'] }, b, c] } },
      [{ op: 'add', path: '/spec/containers/0/args/1', value: '-v' }],
    ],
  ];
  for (const [what, after, patch] of CASES)
    it(`is as small as can be: ${what}`, () => expect(jsonDifference(pod, after)).toEqual(patch));

  it('replaces a list where that is shorter than its changes', () => {
    const patch = jsonDifference({ items: [1, 2, 3, 4] }, { items: [5, 6, 7, 8] });
    expect(patch).toEqual([{ op: 'replace', path: '/items', value: [5, 6, 7, 8] }]);
  });

  it('compares lists that are too long item by item', () => {
    const length = Math.ceil(Math.sqrt(MAX_COMPARED_PAIRS)) + 1;
    const before = Array.from({ length }, (_, at) => ({ name: `n${at}`, long }));
    const after = before.map((item, at) => (at % 2 === 0 ? { ...item, name: `m${at}` } : item));
    const patch = jsonDifference({ items: before }, { items: after });
    expect(patch).toHaveLength(Math.ceil(length / 2));
    expect(patch[0]).toEqual({ op: 'replace', path: '/items/0/name', value: 'm0' });
  });

  it('replaces whole fields where there would be more operations than servers take', () => {
    const entries = (text: string) =>
      Object.fromEntries(
        Array.from({ length: MAX_PATCH_OPERATIONS + 1 }, (_, at) => [at, { text, long }]),
      );
    const patch = jsonDifference({ data: entries('a'), same: 1 }, { data: entries('b'), same: 1 });
    expect(patch.map(({ op, path }) => `${op} ${path}`)).toEqual(['replace /data']);
  });
});
