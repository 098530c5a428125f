// Whatever is written: compiling and evaluating never throw, and no evaluation costs more than was estimated.
import { fc } from '../../test/support/properties.ts';
import { expect, it } from 'vitest';
import { DYN } from './cel-type.ts';
import { compile, evaluate } from './compile.ts';
import { estimate } from './estimate.ts';
import { celValue } from './json-values.ts';
import { STANDARD } from './library/standard.ts';
import { costBudget } from './meter.ts';

const OPERATORS = ['+', '-', '*', '/', '%', '==', '!=', '<', '<=', 'in', '&&', '||'];
const LEAVES = (
  '0 | -1 | 9223372036854775807 | 2u | 1.5 | true | null | int | "a,b" | "1.2.3" | "10.0.0.0/8" | b"x" | [] | [1, 2] | ' +
  '["a"] | {} | {"a": 1} | duration("1h") | timestamp("2026-01-01T00:00:00Z") | quantity("1") | optional.none() | ' +
  'optional.of(1) | self | self.list | self.text | self.nothing | self.map | x | i'
).split(' | ');
const SELF = { list: [1, 2, 3], text: 'héllo', nothing: null, map: { a: 1, b: 'x' } };

const names = (methods: boolean): string[] => [
  ...new Set(STANDARD.filter(({ method }) => method === methods).map(({ name }) => name)),
];
const plain = names(false).filter((name) => /^[a-z]/i.test(name));

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const part = tie('expression').map((source) => `dyn(${source})`);
  const parts = fc.array(part, { maxLength: 3 }).map((list) => list.join(', '));
  const from = (...choices: string[]): fc.Arbitrary<string> => fc.constantFrom(...choices);
  const fold = from(
    'all',
    'exists',
    'exists_one',
    'map',
    'filter',
    'transformList',
    'transformMap',
  );
  return {
    expression: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      from(...LEAVES),
      fc.tuple(part, from(...OPERATORS), part).map((three) => three.join(' ')),
      fc.tuple(part, part, part).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(from(...plain), parts).map(([name, args]) => `${name}(${args})`),
      fc
        .tuple(part, from(...names(true)), parts)
        .map(([on, name, args]) => `${on}.${name}(${args})`),
      fc.tuple(part, fold, part).map(([on, name, body]) => `${on}.${name}(x, ${body})`),
      fc.tuple(part, fold, part).map(([on, name, body]) => `${on}.${name}(i, x, ${body})`),
      fc.tuple(part, part).map(([value, body]) => `cel.bind(x, ${value}, ${body})`),
      fc.tuple(part, part).map(([a, b]) => `{${a}: ${b}}`),
      fc.tuple(part, part).map(([a, b]) => `[${a}, ${b}]`),
      fc.tuple(part, from('.a', '.?a', '[0]', '[?0]', '["a"]')).map((two) => two.join('')),
    ),
  };
});

/** Compiled, evaluated, and within its estimate. */
function holds(source: string): void {
  const compiled = compile(source, { variables: { self: DYN, x: DYN }, mixedLiterals: true });
  if (compiled.kind === 'faulty') return;
  const { max } = estimate(compiled.program);
  const outcome = evaluate(compiled.program, { self: celValue(SELF) }, costBudget());
  expect(outcome.cost).toBeLessThanOrEqual(max);
  if (outcome.kind === 'value') expect(outcome.value).toBeDefined();
}

it('Any expression comes to an end as it was promised', () => {
  fc.assert(fc.property(expression, holds), { numRuns: 2000 });
});

it('Any text does', () => {
  const odd = fc.constantFrom(
    '"',
    "'''",
    '(',
    '?',
    '\\u',
    '`',
    '0x',
    '//',
    '{',
    '\ud800',
    '..',
    'r"',
  );
  const cut = fc.tuple(expression, odd, fc.nat(80)).map(([source, sign, at]) => {
    return source.slice(0, at) + sign + source.slice(at);
  });
  fc.assert(fc.property(fc.oneof(cut, fc.string({ unit: 'binary' })), holds), { numRuns: 2000 });
});
