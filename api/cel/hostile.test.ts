// Expressions that want to stall or break the server: each ends in a fault, an error or at its budget, and soon.
import { RE2JS } from 're2js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cpuSince } from '../../test/support/cpu.ts';
import { heapInUse } from '../../test/support/garbage.ts';
import { type CelType, DYN, INT, listOf, objectOf } from './cel-type.ts';
import { compile, evaluate, type Outcome } from './compile.ts';
import { celValue } from './json-values.ts';
import { patternSize } from './library/pattern-size.ts';
import {
  MAX_ERRORS,
  MAX_NESTING,
  MAX_NODES,
  MAX_PATTERN_SIZE,
  MAX_PATTERNS_SIZE,
  MAX_PRECISION,
  MAX_SOURCE_LENGTH,
  MAX_TEXT_LENGTH,
} from './limits.ts';
import { costBudget } from './meter.ts';

/** Processor time far above what any of these take; without its limit each takes minutes, or all memory. */
const CEILING_MS = 20_000;
let tookMs: () => number;
beforeEach(() => {
  tookMs = cpuSince();
});
afterEach(() => {
  expect(tookMs()).toBeLessThan(CEILING_MS);
});

function fault(source: string): string {
  const compiled = compile(source, { variables: { self: DYN } });
  return compiled.kind === 'faulty' ? compiled.message.slice(0, 300) : 'compiled';
}

function run(source: string, json: unknown = null, type: CelType = DYN): Outcome {
  const compiled = compile(source, { variables: { self: type } });
  if (compiled.kind === 'faulty') throw new Error(compiled.message);
  return evaluate(compiled.program, { self: celValue(json, type) }, costBudget());
}

const many = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** Another each time: what is the same JSON need not be compared. */
const large = (): number[][] => Array.from({ length: 500 }, () => many(1000));
const bindings = (names: number, value: (before: string) => string, start: string): string =>
  many(names).reduceRight(
    (inner, i) => `cel.bind(v${i}, ${i === 0 ? start : value(`v${i - 1}`)}, ${inner})`,
    `size(v${names - 1})`,
  );

describe('Sources', () => {
  it.each<[string, string, string]>([
    ['too long', `"${'a'.repeat(MAX_SOURCE_LENGTH)}"`, 'code point size exceeds limit'],
    ['of too many parts', `[${'1,'.repeat(MAX_NODES)}]`, `at most ${MAX_NODES} parts`],
    ['nested in brackets', '('.repeat(50_000), `recursion limit exceeded: ${MAX_NESTING}`],
    ['nested in lists', '['.repeat(50_000), `recursion limit exceeded: ${MAX_NESTING}`],
    ['nested in maps', '{1:'.repeat(30_000), `recursion limit exceeded: ${MAX_NESTING}`],
    ['nested in calls', 'size('.repeat(20_000), `recursion limit exceeded: ${MAX_NESTING}`],
    ['nested in literals', 'A{a:'.repeat(20_000), `recursion limit exceeded: ${MAX_NESTING}`],
    ['of many signs', `${'!'.repeat(50_000)}true`, `recursion limit exceeded: ${MAX_NESTING}`],
    ['of many minuses', `${'- '.repeat(40_000)}1`, `recursion limit exceeded: ${MAX_NESTING}`],
    ['of many sums', `1${'+1'.repeat(5000)}`, `recursion limit exceeded: ${MAX_NESTING}`],
    ['of many fields', `self${'.a'.repeat(5000)}`, `recursion limit exceeded: ${MAX_NESTING}`],
    ['of many indexes', `self${'[0]'.repeat(5000)}`, `recursion limit exceeded: ${MAX_NESTING}`],
    ['of many choices', `${'true?1:'.repeat(5000)}1`, `recursion limit exceeded: ${MAX_NESTING}`],
    ['of unclosed quotes', `'''${"'".repeat(2)} a`.repeat(5000), 'Syntax error'],
  ])('%s', (...[, source, message]) => {
    expect(fault(source)).toContain(message);
  });

  it('of many conditions are one level', () => {
    expect(run(Array.from({ length: 3000 }, () => 'true').join(' && '))).toMatchObject({
      value: true,
    });
  });

  it('as deep as may be are compiled and evaluated in no time', () => {
    const sum = `1${' + 1'.repeat(200)}`;
    expect(run(sum)).toMatchObject({ value: 201n });
    const lists = `${'['.repeat(200)}1${']'.repeat(200)}`;
    expect(run(`${lists} == ${lists}`)).toMatchObject({ value: true });
  });

  it('with many faults tell so many', () => {
    const compiled = compile(Array.from({ length: 1000 }, () => 'nobody').join(' && '), {
      variables: {},
    });
    expect(compiled.kind === 'faulty' && compiled.faults).toHaveLength(MAX_ERRORS);
  });
});

describe('Evaluations that grow', () => {
  const list = many(1000);
  it.each<[string, string, unknown]>([
    ['loops in loops', 'self.all(a, self.all(b, self.all(c, self.all(d, true))))', list],
    ['maps of maps', 'self.map(a, self.map(b, self.map(c, a + b + c)))', list],
    ['texts that double', bindings(60, (v) => `${v} + ${v}`, '"ab"'), null],
    ['lists that double', bindings(60, (v) => `${v} + ${v}`, '[1, 2]'), null],
    ['bytes that double', bindings(60, (v) => `${v} + ${v}`, 'b"ab"'), null],
    [
      'lists of lists that double',
      `cel.bind(l, ${bindings(60, (v) => `[${v}, ${v}]`, '[1]')}, l == l)`.replace(
        'size(v59)',
        'v59',
      ),
      null,
    ],
    [
      'texts that are joined',
      'self.map(i, self.map(j, "aaaaaaaaaa").join()).join("aaaaaaaaaaaa")',
      list,
    ],
    [
      'separators',
      'self.map(i, "").join("a".replace("a", self.map(j, "bbbbbbbbbb").join("cccc")))',
      list,
    ],
    ['formats', '"%s".format([self.map(i, self.map(j, "aaaaaaaaaaaaaaaaaaaa"))])', list],
    ['formats of long texts', '"%s%s".format([self, [self, self, self]])', ['a'.repeat(3_000_000)]],
    ['comparisons of large parts', 'self.a.all(a, self.a == self.b)', { a: large(), b: large() }],
    [
      'searches of large parts',
      'self.a.all(a, self.a in [self.b, self.b + [1]])',
      { a: large(), b: large() },
    ],
    [
      'formats of repeated texts',
      '"%s".format([self.l.map(i, self.t)])',
      { l: many(2000), t: 'a'.repeat(1_000_000) },
    ],
    [
      'time zones',
      'self.exists(i, timestamp("2026-01-01T00:00:00Z").getHours("Etc/" + string(i)) < 0)',
      many(10_000),
    ],
    [
      'queries',
      'self.l.all(i, url(self.t).getQuery().size() > 0)',
      { l: list, t: `/?${'a=b&'.repeat(250_000)}` },
    ],
    [
      'parts of URLs',
      'self.l.all(i, url(self.t + string(i)).getEscapedPath() != "")',
      { l: list, t: `/${'é'.repeat(50_000)}` },
    ],
    [
      'keys that are made',
      'cel.bind(k, self.t + "b", self.l.all(i, !(k in self.m)))',
      { l: list, t: 'a'.repeat(1_000_000), m: {} },
    ],
    [
      'look-ups by keys that are made',
      'cel.bind(k, self.t + "b", self.l.all(i, !self.m[?k].hasValue()))',
      { l: list, t: 'a'.repeat(1_000_000), m: {} },
    ],
    [
      'versions of many identifiers',
      `self.all(i, semver("1.2.3-${'a.'.repeat(400)}a").compareTo(semver("1.2.3-${'a.'.repeat(400)}b")) < 0)`,
      many(3000),
    ],
    ['sets', 'sets.equivalent(self, self.map(i, i + 1))', many(3000)],
    ['positions', 'self.all(i, self.indexOf(-1) == -1)', many(3000)],
    [
      'counting code points',
      'self.l.all(i, size(self.t) > 0)',
      { l: list, t: 'a'.repeat(3_000_000) },
    ],
    [
      'searching backwards',
      'self.t.lastIndexOf(self.p) == 0',
      { t: 'a'.repeat(2_000_000), p: `b${'a'.repeat(1_000_000)}` },
    ],
    [
      'searching',
      'self.t.contains(self.p)',
      { t: 'a'.repeat(2_000_000), p: `${'a'.repeat(1_000_000)}b` },
    ],
  ])('%s end at their budget', (...[, source, json]) => {
    expect(run(source, json)).toMatchObject({ kind: 'exceeded', scope: 'call' });
  });

  it('over one URL read each part once', () => {
    const host = { l: many(20_000), t: `http://${'a'.repeat(200_000)}` };
    const same = 'cel.bind(u, url(self.t), self.l.all(i, u.getHostname() == u.getHost()))';
    expect(run('cel.bind(u, url(self.t), u.getHostname() == u.getHost())', host)).toMatchObject({
      value: true,
    });
    expect(run(same, host)).toMatchObject({ kind: 'exceeded', scope: 'call' });
  });

  it('over the keys of a map that was made gather them once', () => {
    const json = { l: many(20_000), m: Object.fromEntries(many(10_000).map((i) => [`k${i}`, i])) };
    const source =
      'cel.bind(u, self.m.transformMap(k, v, v), self.l.all(x, !u.exists(k, true) == false))';
    expect(run(source, json)).toMatchObject({ value: true });
  });

  it('over long bytes read them once', () => {
    const bytes: CelType = { kind: 'bytes' };
    const self = objectOf('self', { l: listOf(INT), b: bytes, bs: listOf(bytes) });
    const blob = 'abcd'.repeat(500_000);
    const json = { l: many(20_000), b: blob, bs: [blob] };
    expect(run('self.l.all(i, self.b != b"" && self.bs[0] != b"")', json, self)).toMatchObject({
      value: true,
    });
  });

  it('past the longest text are errors', () => {
    const outcome = run('self.replace("", self)', 'a'.repeat(5000));
    expect(outcome).toMatchObject({
      message: expect.stringContaining(`${MAX_TEXT_LENGTH} characters`),
    });
  });

  it('with endless precision are errors', () => {
    const message = expect.stringContaining(`more than ${MAX_PRECISION}`);
    expect(run(`"%.${MAX_PRECISION + 1}f".format([1.5])`)).toMatchObject({ message });
    expect(run(`"%.${'9'.repeat(1000)}e".format([1.5])`)).toMatchObject({ kind: 'error' });
  });

  it('over values nested deeper than the engine goes are errors', () => {
    let deep: unknown = 1;
    for (let i = 0; i < 200_000; i += 1) deep = [deep];
    expect(run('self == [self]', deep).kind).not.toBe('value');
  });

  it('over long words are errors soon', () => {
    const long = { digits: '1'.repeat(1_000_000), dots: '1.'.repeat(500_000) };
    for (const source of [
      'int(self.digits)',
      'uint(self.digits)',
      'double(self.digits + "x")',
      'duration(self.digits)',
      'duration(self.dots)',
      'timestamp(self.digits)',
      'quantity(self.digits)',
      'quantity("1e" + self.digits)',
      'semver(self.dots)',
      'semver(self.digits, true)',
      'ip(self.dots)',
      'cidr(self.dots)',
      'url(self.dots)',
      'timestamp("2026-01-01T00:00:00Z").getHours(self.digits)',
    ])
      expect(run(source, long).kind, source).not.toBe('value');
  });
});

describe('Patterns', () => {
  it('that make other engines stall do not', () => {
    expect(run('self.matches("^(a+)+$")', `${'a'.repeat(5000)}!`)).toMatchObject({ value: false });
    expect(run('self.matches("^(a|a)*$")', `${'a'.repeat(5000)}!`)).toMatchObject({ value: false });
  });

  it('of many states on long texts end at their budget', () => {
    const source = 'self.matches("^(?:[ab]*a[ab]{300})c?$")';
    const text = many(100_000)
      .map((i) => ((i * 7919) % 13 < 6 ? 'a' : 'b'))
      .join('');
    expect(run(source, text)).toMatchObject({ kind: 'exceeded' });
    expect(run('self.find("(a?){300}(b?){300}$")', text)).toMatchObject({ kind: 'exceeded' });
  });

  it('that look to the end for every match end at their budget', () => {
    expect(run('self.findAll("a.*b|c")', 'ac'.repeat(50_000))).toMatchObject({ kind: 'exceeded' });
  });

  it('that are made while evaluating are paid for', () => {
    const source = 'self.all(i, !"x".matches("(a?b?c?){300}" + string(i)))';
    expect(run(source, many(1000))).toMatchObject({ kind: 'exceeded' });
    expect(run('self.all(i, !"x".matches("a" + string(i % 2)))', many(1000))).toMatchObject({
      value: true,
    });
  });

  it('that are too large are refused, where they are written and where they are made', () => {
    expect(fault('"a".matches("((a{30}){30}b){8}")')).toContain(
      `invalid matches argument: pattern is too large: 7456 parts with its repetitions; at most ${MAX_PATTERN_SIZE}`,
    );
    const outcome = run('"a".matches(self)', '(?:(?:a{30}){30}b){8}');
    expect(outcome).toMatchObject({
      message: expect.stringContaining(`at most ${MAX_PATTERN_SIZE}`),
    });
    expect(run('"a".matches(self)', 'a'.repeat(MAX_PATTERN_SIZE + 1))).toMatchObject({
      kind: 'error',
    });
  });

  it('that are too large together are refused', () => {
    const rules = many(200).map((i) => `self.matches("^(?:a?b?c?){300}${i}$")`);
    expect(fault(rules.join(' && '))).toContain(`at most ${MAX_PATTERNS_SIZE} parts`);
    expect(
      fault(
        many(200)
          .map(() => rules[0])
          .join(' && '),
      ),
    ).toBe('compiled');
  });

  it('are as large as their repetitions written out', () => {
    expect(patternSize('^[a-z]{1,63}$')).toBe(66);
    expect(patternSize('(ab){3}c')).toBe(10);
    expect(patternSize('((a{2}){3}){4}')).toBe(40);
    expect(patternSize('\\{5}\\(')).toBe(4);
    expect(patternSize('[(){9}]')).toBe(2);
    expect(patternSize('^\\x{0041}\\p{L}{2}$')).toBe(55);
  });

  // Where classes and quotations end decides what is repeated: read wrongly, a small pattern takes all memory.
  it.each([
    ['a class that begins with its end', '(a?b?c?[](]){900}'],
    ['a class of none of its end', '(a?b?c?[^](]){900}'],
    ['a named class', '(a?b?c?[[:alpha:](]){900}'],
    ['a quoted beginning of a class', '\\Q[\\E(a?b?){900}]'],
    ['a quoted bracket', '(a?b?c?\\Q(\\E){900}'],
  ])('are no smaller than their states: %s', (_name, text) => {
    expect(patternSize(text) * 2).toBeGreaterThan(RE2JS.compile(text).programSize());
  });

  it.each([
    ['classes that do not end', '['],
    ['properties that do not end', '\\p{'],
    ['quotations that do not end', '\\Q'],
    ['named classes that do not end', '[[:a'],
    ['groups', '('],
    ['backslashes', '\\'],
  ])('are measured in linear time: %s', (_name, part) => {
    for (let i = 0; i < 20; i += 1) patternSize(part.repeat(100_000 / part.length));
  });

  it('that look at every character of wide ranges are as large as that takes', () => {
    const wide = '[\\x{42}-\\x{1e942}]'.repeat(100);
    expect(patternSize(wide)).toBeLessThan(MAX_PATTERN_SIZE);
    expect(patternSize(`(?i)${wide}`)).toBeGreaterThan(MAX_PATTERN_SIZE);
    expect(patternSize('(?i)[a-z\u00e0-\u00ff]')).toBeLessThan(20);
  });

  it('that are too large together are refused though each is there twice', () => {
    const twice = many(200).flatMap((i) => Array(2).fill(`self.matches("^(?:a?b?c?){500}${i}$")`));
    const compiled = compile(twice.join('||'), { variables: { self: DYN } });
    if (compiled.kind === 'compiled') throw new Error('compiled');
    expect(compiled.faults.map(({ message }) => message)).toEqual(
      many(MAX_ERRORS).map(() => expect.stringContaining('too large together')),
    );
  });

  it('of many requests are not kept', () => {
    const before = heapInUse();
    for (let i = 0; i < 200; i += 1) run('"x".matches(self)', `(?:a?b?c?){300}${i}`);
    expect(heapInUse() - before).toBeLessThan(200_000_000);
  });
});
