// Nodes that stand once: who shares them, what they are made of whatever was remembered, and where remembering ends.
import { describe, expect, it } from 'vitest';
import { fc } from '../../test/support/properties.ts';
import { compare } from './compare.ts';
import { EMPTY_SET, equalSets, type FieldSet, Gathered } from './field-set.ts';
import {
  fieldSetJson,
  MAX_KNOWN_JSON_CHARS,
  MAX_KNOWN_STEPS,
  MAX_SHARED_ELEMENT_CHARS,
  MAX_SHARED_ELEMENTS,
  NodeStep,
  startsOf,
} from './known-nodes.ts';
import { type MergeType, mergeTypeOf } from './merge-type.ts';

const POD = mergeTypeOf('io.k8s.api.core.v1.Pod');
const element = fc.constantFrom('f:a', 'f:b', 'f:c', 'f:constructor', 'k:{"name":"x"}', 'v:1');
const elements = fc.uniqueArray(element, { maxLength: 6 });
const below = fc.constantFrom<FieldSet>(
  EMPTY_SET,
  Object.freeze({ 'f:x': EMPTY_SET }),
  Object.freeze({ '.': EMPTY_SET, 'f:x': EMPTY_SET }),
  { 'f:own': EMPTY_SET },
);

const noted = (start: NodeStep, names: Iterable<string>) => {
  let step = start;
  for (const name of names) step = step.with(name, EMPTY_SET);
  return step;
};
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `f:${i}`);
const aMap = (): MergeType => ({
  kind: 'map',
  atomic: false,
  value: { kind: 'scalar', of: 'string' },
});

const pod = (name: string, ports: readonly number[]) => ({
  metadata: { labels: { app: name } },
  spec: {
    containers: [{ name: 'c', image: name, ports: ports.map((port) => ({ containerPort: port })) }],
  },
});

describe('Known nodes', () => {
  it('hold what was added, in the order of sets, whatever others added before', () => {
    const start = NodeStep.start();
    fc.assert(
      fc.property(elements, fc.array(below, { minLength: 6, maxLength: 6 }), (names, nodes) => {
        const gathered = new Gathered();
        let step = start;
        for (const [i, name] of names.entries()) {
          gathered.add(name, nodes[i]);
          step = step.with(name, nodes[i]);
        }
        const made = step.node(true);
        expect(JSON.stringify(made)).toBe(JSON.stringify(gathered.node(true)));
        expect(fieldSetJson(made ?? EMPTY_SET)).toBe(JSON.stringify(made));
      }),
    );
  });

  it('are one for values of one shape, frozen, and equal for another order of fields', () => {
    const ofOne = compare(POD, {}, pod('a', [80])).changed;
    expect(compare(POD, {}, pod('b', [80])).changed).toBe(ofOne);
    expect(Object.isFrozen(ofOne['f:spec'])).toBe(true);
    expect(compare(POD, {}, pod('b', [81])).changed).not.toBe(ofOne);
    const { metadata, spec } = pod('a', [80]);
    const turned = compare(POD, {}, { spec, metadata }).changed;
    expect(turned).not.toBe(ofOne);
    expect(JSON.stringify(turned)).toBe(JSON.stringify(ofOne));
  });

  it('tell what changed from what went where both have the same elements', () => {
    const set: MergeType = { kind: 'list', how: 'set', item: { kind: 'scalar', of: 'string' } };
    expect(compare(set, ['a', 'a'], ['a'])).toEqual({
      changed: { 'v:"a"': {} },
      removed: { 'v:"a"': {} },
    });
  });

  it(`are nobody else's with more than ${MAX_SHARED_ELEMENTS} elements, and neither is what they are in`, () => {
    const shared = noted(NodeStep.start(), numbered(MAX_SHARED_ELEMENTS)).node(false);
    expect(Object.isFrozen(shared)).toBe(true);
    const start = NodeStep.start();
    const large = noted(start, numbered(MAX_SHARED_ELEMENTS + 1)).node(false);
    expect(Object.keys(large ?? {})).toHaveLength(MAX_SHARED_ELEMENTS + 1);
    expect(Object.isFrozen(large)).toBe(false);
    expect(Object.isFrozen(start.with('f:in', large).node(true))).toBe(false);
  });

  it(`are nobody else's with an element of more than ${MAX_SHARED_ELEMENT_CHARS} characters`, () => {
    const start = NodeStep.start();
    const longest = 'f'.repeat(MAX_SHARED_ELEMENT_CHARS);
    expect(noted(start, [longest])).toBe(noted(start, [longest]));
    expect(noted(start, [`${longest}f`])).not.toBe(noted(start, [`${longest}f`]));
    expect(Object.isFrozen(noted(start, [`${longest}f`]).node(true))).toBe(false);
  });

  it(`have their JSON kept up to ${MAX_KNOWN_JSON_CHARS} characters of all, and the right one beyond`, () => {
    const part = 'x'.repeat(MAX_KNOWN_JSON_CHARS / 8);
    const sets = Array.from({ length: 20 }, (_, i) =>
      Object.freeze({ [`f:${i}${part}`]: EMPTY_SET }),
    );
    for (const set of [...sets, ...sets.toReversed()])
      expect(fieldSetJson(set) === JSON.stringify(set)).toBe(true);
    const tooLong = Object.freeze({ [`f:${part.repeat(8)}`]: EMPTY_SET });
    expect(fieldSetJson(tooLong) === JSON.stringify(tooLong)).toBe(true);
  });

  it(`are forgotten together after ${MAX_KNOWN_STEPS} steps, which changes none of them`, () => {
    const type = aMap();
    const node = () => noted(startsOf(type).whole, ['f:a', 'f:b']).node(true) as FieldSet;
    const first = node();
    expect(node()).toBe(first);
    for (let i = 0; i < MAX_KNOWN_STEPS; i++) startsOf(aMap()).whole.with('f:a', EMPTY_SET);
    const second = node();
    expect(second).not.toBe(first);
    expect(equalSets(first, second)).toBe(true);
  });
});
