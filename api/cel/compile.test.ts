// Compiling and evaluating through the door of CEL: faults with their places, budgets, schemas as types, estimates.
import { describe, expect, it } from 'vitest';
import type { JSONSchemaProps } from '../generated/types.ts';
import { structuralOf } from '../schema/structural/structural.ts';
import { BOOL, type CelType, DYN, STRING } from './cel-type.ts';
import { compile, evaluate, type Outcome, type Program } from './compile.ts';
import { estimate } from './estimate.ts';
import { celValue } from './json-values.ts';
import { COST_PER_CALL } from './limits.ts';
import { type CostBudget, costBudget } from './meter.ts';
import { celTypeOf, celTypeOfKind } from './schema-type.ts';

function program(source: string, self: CelType = DYN): Program {
  const compiled = compile(source, { variables: { self } });
  if (compiled.kind === 'faulty') throw new Error(compiled.message);
  return compiled.program;
}

function run(source: string, json: unknown, self: CelType = DYN): unknown {
  const outcome = evaluate(program(source, self), { self: celValue(json, self) }, costBudget());
  return outcome.kind === 'value' ? outcome.value : outcome;
}

function fault(source: string, self: CelType = DYN): string {
  const compiled = compile(source, { variables: { self }, result: BOOL });
  return compiled.kind === 'faulty' ? compiled.message : 'compiled';
}

const typeOf = (schema: object): CelType =>
  celTypeOf(structuralOf(schema as JSONSchemaProps), { name: 'self', root: true }) ?? DYN;

const WIDGET = typeOf({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['replicas'],
      properties: {
        replicas: { type: 'integer' },
        share: { type: 'number' },
        when: { type: 'string', format: 'date-time' },
        after: { type: 'string', format: 'duration' },
        blob: { type: 'string', format: 'byte' },
        if: { type: 'string' },
        'a-b.c/d__e': { type: 'string' },
        any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        port: { 'x-kubernetes-int-or-string': true },
        tags: { type: 'array', items: { type: 'string', maxLength: 10 }, maxItems: 5 },
        set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
});

describe('Faults', () => {
  it.each<[string, string, string]>([
    [
      'a name that is not declared',
      'other.x',
      "1:1: undeclared reference to 'other' (in container '')",
    ],
    ['an unknown field', 'self.spec.nothing == 1', "1:10: undefined field 'nothing'"],
    [
      'an operator between types that it does not join',
      'self.spec.replicas + "a" == ""',
      "1:20: found no matching overload for '_+_' applied to '(int, string)'",
    ],
    [
      'a method of another type',
      'self.spec.replicas.startsWith("a")',
      "1:30: found no matching overload for 'startsWith' applied to 'int.(string)'",
    ],
    ['what is no expression', '1 +', "1:4: Syntax error: unexpected '<EOF>'"],
    [
      'a duration that is none',
      'duration("soon") == duration("1h")',
      '1:10: invalid duration argument',
    ],
    ['a pattern that is none', '"a".matches("(")', '1:13: invalid matches argument'],
    ['mixed lists', '[1, "a"] == []', "1:5: expected type 'int' but found 'string'"],
  ])('tell of %s', (...[, source, message]) => {
    expect(fault(source, WIDGET)).toContain(`ERROR: <input>:${message}`);
  });

  it('show the line and the place', () => {
    expect(fault('true &&\n  self.spec.x', WIDGET)).toBe(
      "ERROR: <input>:2:12: undefined field 'x'\n |   self.spec.x\n | ...........^",
    );
  });

  it('tell all at once', () => {
    expect(fault('a == 1 && b == 2').split('ERROR')).toHaveLength(3);
  });

  it('tell of a result of another type', () => {
    expect(fault('1 + 1')).toBe('must evaluate to bool');
    const either = compile('1', { variables: {}, result: [BOOL, STRING] });
    expect(either).toMatchObject({ why: 'result', message: 'must evaluate to bool or string' });
  });
});

describe('Objects', () => {
  it.each<[string, string, unknown]>([
    ['whole numbers are ints', 'self.spec.replicas / 2 == 1', { replicas: 3 }],
    ['numbers are doubles', 'self.spec.share / 2.0 == 1.5', { share: 3 }],
    [
      'times',
      'self.spec.when < timestamp("2027-01-01T00:00:00Z")',
      { when: '2026-01-01T00:00:00Z' },
    ],
    ['durations', 'self.spec.after == duration("90m")', { after: '1h30m' }],
    ['bytes', 'self.spec.blob == b"abc"', { blob: 'YWJj' }],
    ['names that CEL reserves', 'self.spec.__if__ == "x"', { if: 'x' }],
    [
      'names that are no identifiers',
      'self.spec.a__dash__b__dot__c__slash__d__underscores__e == "x"',
      { 'a-b.c/d__e': 'x' },
    ],
    ['numbers or texts', 'type(self.spec.port) == int && self.spec.port == 80', { port: 80 }],
    ['or texts', 'type(self.spec.port) == string && self.spec.port == "http"', { port: 'http' }],
    ['sets in any order', 'self.spec.set == ["b", "a"]', { set: ['a', 'b'] }],
    ['sets that join', 'size(self.spec.set + ["b", "c"]) == 3', { set: ['a', 'b'] }],
    ['maps', '"a" in self.spec.labels && self.spec.labels["a"] == "b"', { labels: { a: 'b' } }],
    ['names of the object', 'self.metadata.name == "n" && self.kind == "Widget"', {}],
    ['what is not set', '!has(self.spec.tags) && !has(self.spec.labels)', {}],
    ['keys that objects inherit', '!("constructor" in self.spec.labels)', { labels: {} }],
  ])('%s', (...[, source, spec]) => {
    const json = { kind: 'Widget', metadata: { name: 'n' }, spec };
    expect(run(source, json, WIDGET)).toBe(true);
  });

  it.each(['self.metadata.labels', 'self.spec.any.x'])('do not show %s', (source) => {
    expect(fault(`${source} == 1`, WIDGET)).toContain('undefined field');
  });

  it('that are built in have types that may refer to themselves', () => {
    const pod = celTypeOfKind('io.k8s.api.core.v1.Pod');
    const source = 'self.spec.containers.all(c, c.image != "" && self.metadata.labels["a"] == "b")';
    expect(program(source, pod).type).toEqual(BOOL);
    expect(fault('self.spec.container == 1', pod)).toContain("undefined field 'container'");
  });
});

describe('Budgets', () => {
  const nested = 'self.all(a, self.all(b, self.all(c, a + b + c >= 0)))';
  const many = Array.from({ length: 300 }, (_, i) => i);
  const spend = (budget: CostBudget): Outcome =>
    evaluate(program(nested), { self: celValue(many) }, budget);

  it('end one expression that costs too much', () => {
    const outcome = spend(costBudget());
    expect(outcome).toMatchObject({ kind: 'exceeded', scope: 'call' });
    expect(outcome.cost).toBeGreaterThan(COST_PER_CALL);
  });

  it('share the work that upstream does not count, too', () => {
    const budget = costBudget();
    const { work, remaining } = budget;
    const bindings = { self: celValue('a'.repeat(900)) };
    for (let i = 0; i < 2; i += 1) evaluate(program('self.matches("^a+$")'), bindings, budget);
    expect(work - budget.work).toBeGreaterThan(2 * 900);
    expect(remaining - budget.remaining).toBeLessThan(2 * 900);
  });

  it('are spared where both sides are the same JSON', () => {
    const bindings = { self: celValue(many), other: celValue(many) };
    const compiled = compile('self == other', { variables: { self: DYN, other: DYN } });
    if (compiled.kind === 'faulty') throw new Error(compiled.message);
    const budget = { remaining: 100, work: 0 };
    expect(evaluate(compiled.program, bindings, budget)).toMatchObject({ value: true });
    const copy = { ...bindings, other: celValue([...many]) };
    expect(evaluate(compiled.program, copy, budget)).toMatchObject({ kind: 'exceeded' });
  });

  it('end a request whose expressions cost too much together', () => {
    const budget = costBudget(2.5 * COST_PER_CALL);
    const scopes = [spend(budget), spend(budget), spend(budget)].map(
      (outcome) => outcome.kind === 'exceeded' && outcome.scope,
    );
    expect(scopes).toEqual(['call', 'call', 'request']);
    expect(budget.remaining).toBeLessThan(0);
  });

  it('count a cheap rule by its parts', () => {
    const { cost } = evaluate(
      program('self.all(x, x < 4)'),
      { self: celValue([1, 2, 3]) },
      costBudget(),
    );
    expect(cost).toBe(17);
  });
});

describe('Estimates', () => {
  const max = (source: string): number => estimate(program(source, WIDGET)).max;

  it('grow with what the schema allows', () => {
    expect(max('self.spec.replicas > 1')).toBe(4);
    expect(max('self.spec.tags.all(t, t.startsWith("abc"))')).toBe(4 + 5 * 5);
    expect(max('self.spec.tags.all(t, self.spec.tags.all(u, t == u))')).toBe(
      4 + 5 * (3 + 4 + 5 * 9),
    );
  });

  it('bound by a request what the schema does not', () => {
    expect(max('self.spec.set.all(x, self.spec.set.all(y, x == y))')).toBeGreaterThan(1e12);
  });

  it.each([
    ['self.spec.tags.all(t, t.contains("b"))', { tags: ['abcdefghij', 'b', 'b', 'b', 'b'] }],
    [
      'self.spec.tags.map(t, t + t).filter(t, t.size() > 2).size() == 5',
      { tags: Array(5).fill('abcdefghij') },
    ],
    [
      'self.spec.tags.exists_one(t, t == "a") ? true : self.spec.replicas > 1',
      { tags: ['a', 'b'], replicas: 1 },
    ],
  ])('are never less than what %s costs', (source, spec) => {
    const { cost } = evaluate(
      program(source, WIDGET),
      { self: celValue({ spec }, WIDGET) },
      costBudget(),
    );
    expect(cost).toBeLessThanOrEqual(max(source));
  });
});
