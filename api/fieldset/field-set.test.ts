// The algebra of field sets against plain sets of paths, and the form that they are written in.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import {
  difference,
  EMPTY_SET,
  equalSets,
  type FieldSet,
  intersection,
  isEmptySet,
  pathsOf,
  recursiveDifference,
  setOf,
  union,
} from './field-set.ts';
import { MAX_FIELD_SET_DEPTH, MAX_FIELD_SET_ELEMENTS, parseFieldSet } from './parse-field-set.ts';
import { describePath } from './path-element.ts';

type Path = readonly string[];
const element = fc.constantFrom('f:a', 'f:b', 'f:constructor', 'k:{"name":"x"}', 'v:1', 'i:0');
const paths = fc.array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 12 });

const keys = (list: Iterable<Path>): string[] =>
  [...new Set([...list].map((path) => path.join(' ')))].sort();
const keysOf = (set: FieldSet) => keys(pathsOf(set));
const check = (law: (a: Path[], b: Path[]) => void) => fc.assert(fc.property(paths, paths, law));

describe('Field sets', () => {
  it('hold the paths they were made of', () => {
    fc.assert(
      fc.property(paths, (list) => {
        expect(keysOf(setOf(list))).toEqual(keys(list));
      }),
    );
  });

  it('unite, subtract and intersect as sets of paths do', () => {
    check((a, b) => {
      const [mine, theirs] = [keys(a), keys(b)];
      expect(keysOf(union(setOf(a), setOf(b)))).toEqual([...new Set([...mine, ...theirs])].sort());
      expect(keysOf(difference(setOf(a), setOf(b)))).toEqual(
        mine.filter((path) => !theirs.includes(path)),
      );
      expect(keysOf(intersection(setOf(a), setOf(b)))).toEqual(
        mine.filter((path) => theirs.includes(path)),
      );
    });
  });

  it('lose what is below a path too where that is asked', () => {
    check((a, b) => {
      const roots = keys(b);
      const left = keys(a).filter(
        (path) => !roots.some((root) => path === root || path.startsWith(`${root} `)),
      );
      expect(keysOf(recursiveDifference(setOf(a), setOf(b)))).toEqual(left);
    });
  });

  it('are one text whatever the order they were made in, and come back from it', () => {
    fc.assert(
      fc.property(paths, (list) => {
        const text = JSON.stringify(setOf(list));
        expect(JSON.stringify(setOf(list.toReversed()))).toBe(text);
        expect(JSON.stringify(parseFieldSet(JSON.parse(text)))).toBe(text);
      }),
    );
  });

  it('stay the very same where nothing is taken', () => {
    check((a, b) => {
      const [set, none] = [setOf(a), difference(setOf(b), setOf(a))];
      expect(difference(set, none)).toBe(set);
      expect(union(set, set)).toBe(set);
      expect(equalSets(set, setOf(a.toReversed()))).toBe(true);
      expect(isEmptySet(difference(set, set))).toBe(true);
    });
  });

  it('sort many elements as they sort few', () => {
    const many = Array.from({ length: 200 }, (_, i) => [`f:${(i * 7919) % 200}`]);
    const elements = Object.keys(setOf(many));
    expect(elements).toEqual(elements.toSorted());
    expect(elements).toHaveLength(200);
  });
});

describe('Parsing field sets', () => {
  it('brings elements into their one form, and drops sorts that it does not know', () => {
    const sent = {
      'f:ports': { 'k:{"protocol":"TCP", "port":80}': { 'x:new': {}, 'f:name': {}, '.': {} } },
      'f:finalizers': { 'v: "a"': {}, 'i:01': {} },
      'f:gone': { 'x:new': {} },
    };
    expect(JSON.stringify(parseFieldSet(sent))).toBe(
      JSON.stringify({
        'f:finalizers': { 'i:1': {}, 'v:"a"': {} },
        'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {} } },
      }),
    );
  });

  it.each([
    ['a set that is no object', [], 'consists of objects'],
    ['a node that is no object', { 'f:a': 1 }, 'consists of objects'],
    ['keys that are no JSON', { 'k:{': {} }, 'holds no JSON'],
    ['keys that are no object', { 'k:[1]': {} }, 'no object'],
    ['an index that is none', { 'i:x': {} }, 'no index'],
  ])('refuses %s', (_, value, why) => {
    expect(() => parseFieldSet(value)).toThrow(why);
  });

  it('takes sets up to its limits, and none beyond', () => {
    const nested = (depth: number): object =>
      Array.from({ length: depth }).reduce<object>((below) => ({ 'f:a': below }), {});
    expect(parseFieldSet(nested(MAX_FIELD_SET_DEPTH))).toBeDefined();
    expect(() => parseFieldSet(nested(MAX_FIELD_SET_DEPTH + 1))).toThrow('nested deeper');
    const wide = (size: number) =>
      Object.fromEntries(Array.from({ length: size }, (_, i) => [`f:${i}`, EMPTY_SET]));
    expect(Object.keys(parseFieldSet(wide(MAX_FIELD_SET_ELEMENTS)))).toHaveLength(
      MAX_FIELD_SET_ELEMENTS,
    );
    expect(() => parseFieldSet(wide(MAX_FIELD_SET_ELEMENTS + 1))).toThrow('more than');
  });
});

describe('Paths', () => {
  it('read as conflicts name them', () => {
    const path = ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'];
    expect(describePath(path)).toBe('.spec.ports[port=80,protocol="TCP"].name');
    expect(describePath(['f:finalizers', 'v:"a/b"'])).toBe('.finalizers[="a/b"]');
    expect(describePath(['f:args', 'i:3'])).toBe('.args[3]');
  });
});
