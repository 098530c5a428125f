// What policies need of CEL: variables worked out when they are asked for, names with dots, functions on own types,
// typed literals and their JSON.
import { describe, expect, it } from 'vitest';
import { CelError } from './cel-error.ts';
import { BOOL, type CelType, DYN, objectOf, opaque, STRING } from './cel-type.ts';
import { compile, type CompileOptions, evaluate, type Outcome } from './compile.ts';
import { celValue } from './json-values.ts';
import { jsonOf } from './json-of.ts';
import { JSON_PATCH, mutationTypes } from './library/json-patch.ts';
import { costBudget, Meter } from './meter.ts';
import { type Library, method } from './overload.ts';
import { type CelValue, ObjectValue, OpaqueValue } from './values.ts';

type Bindings = Parameters<typeof evaluate>[1];

function run(source: string, options: CompileOptions, bindings: Bindings = {}): Outcome {
  const compiled = compile(source, options);
  if (compiled.kind === 'faulty') throw new Error(compiled.message);
  return evaluate(compiled.program, bindings, costBudget());
}

function json(source: string): unknown {
  const options = { variables: {}, structs: mutationTypes, functions: JSON_PATCH };
  const outcome = run(source, options);
  if (outcome.kind !== 'value') throw new Error(JSON.stringify(outcome));
  return jsonOf(outcome.value, new Meter(costBudget()));
}

class Lazy extends ObjectValue {
  readonly typeName = 'variables';
  readonly asked: string[] = [];
  get(field: string): CelValue {
    this.asked.push(field);
    if (field === 'broken') throw new CelError('it is broken');
    return 5n;
  }
  names(): readonly string[] {
    return ['five'];
  }
}

class Check extends OpaqueValue {
  readonly typeName = 'test.Check';
  readonly verb: string;
  constructor(verb: string) {
    super();
    this.verb = verb;
  }
  equals(other: OpaqueValue): boolean {
    return other === this;
  }
}

const CHECK = opaque('test.Check');
const CHECKS: Library = [
  method('verb(test.Check, string): test.Check', ([, verb]) => new Check(verb as string)),
  method('allowed(test.Check): bool', ([check]) => (check as Check).verb === 'get', {
    cost: () => 350_000,
  }),
];

describe('Variables', () => {
  const variables: Record<string, CelType> = {
    variables: objectOf('variables', { five: DYN, broken: DYN, other: DYN }),
  };

  it('are worked out when they are asked for', () => {
    const lazy = new Lazy();
    const outcome = run(
      'variables.five == 5 || variables.other == 1',
      { variables },
      { variables: lazy },
    );
    expect(outcome).toMatchObject({ kind: 'value', value: true });
    expect(lazy.asked).toEqual(['five']);
  });

  it('may fail, which is absorbed as errors are', () => {
    const bindings = { variables: new Lazy() };
    expect(run('variables.broken == 1', { variables }, bindings)).toMatchObject({
      kind: 'error',
      message: 'it is broken',
    });
    expect(run('variables.broken == 1 || true', { variables }, bindings)).toMatchObject({
      value: true,
    });
  });

  it('may have dots in their names', () => {
    const dotted = { check: CHECK, 'check.resource': STRING };
    const bindings = { check: new Check('get'), 'check.resource': 'pods' };
    const options = { variables: dotted, functions: CHECKS };
    expect(run('check.resource == "pods" && check.allowed()', options, bindings)).toMatchObject({
      value: true,
    });
    expect(run('["x"].all(check, check.size() == 1)', options, bindings)).toMatchObject({
      value: true,
    });
  });
});

describe('Functions of others', () => {
  const options = { variables: { check: CHECK }, functions: CHECKS, result: BOOL };

  it('work on values of their own', () => {
    const bindings = { check: new Check('') };
    expect(run('check.verb("get").allowed()', options, bindings)).toMatchObject({ value: true });
    expect(run('check.verb("list").allowed()', options, bindings)).toMatchObject({ value: false });
  });

  it('cost what they say', () => {
    const three = 'check.allowed() || check.allowed() || check.allowed()';
    expect(run(three, options, { check: new Check('') })).toMatchObject({ kind: 'exceeded' });
  });

  it('are not there for expressions that do not declare them', () => {
    const message = "undeclared reference to 'allowed'";
    const compiled = compile('check.allowed()', { variables: { check: CHECK } });
    expect(compiled).toMatchObject({ kind: 'faulty', message: expect.stringContaining(message) });
  });
});

describe('Typed literals', () => {
  it.each<[string, unknown]>([
    [
      'Object{spec: Object.spec{replicas: 3, template: Object.spec.template{}}}',
      { spec: { replicas: 3, template: {} } },
    ],
    ['Object{__namespace__: "x", a__dash__b: [1.5, 2.0]}', { namespace: 'x', 'a-b': [1.5, 2] }],
    ['Object{?gone: optional.none(), ?there: optional.of(true)}', { there: true }],
    [
      '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b~c"), value: {"x": [null]}}]',
      [{ op: 'add', path: '/metadata/labels/a~1b~0c', value: { x: [null] } }],
    ],
    [
      '[JSONPatch{op: "test", path: "/a", value: 1}] + [JSONPatch{op: "remove", path: "/a"}]',
      [
        { op: 'test', path: '/a', value: 1 },
        { op: 'remove', path: '/a' },
      ],
    ],
    [
      'Object{at: timestamp("2026-01-02T03:04:05Z"), d: duration("90s"), b: b"abc", u: 5u}',
      {
        at: '2026-01-02T03:04:05Z',
        d: '90s',
        b: 'YWJj',
        u: 5,
      },
    ],
  ])('%s', (source, value) => {
    expect(json(source)).toEqual(value);
  });

  it.each([
    ['JSONPatch{op: "add", where: "/"}', "undefined field 'where'"],
    ['JSONPatch{op: 1}', "expected type of field 'op' is 'string' but provided type is 'int'"],
    ['Other{}', "undeclared reference to 'Other'"],
  ])('refuse %s', (source, message) => {
    expect(() => json(source)).toThrow(message);
  });

  it('give back JSON that came in as it was', () => {
    const object = { spec: { 'a-b': [1, { c: null }] } };
    const outcome = run(
      '{"x": object.spec}',
      { variables: { object: DYN } },
      { object: celValue(object) },
    );
    const value = outcome.kind === 'value' ? outcome.value : null;
    expect(jsonOf(value, new Meter(costBudget()))).toEqual({ x: object.spec });
  });

  it('make no JSON of what JSON cannot say', () => {
    expect(() => json('[{1: "a"}]')).toThrow('JSON has no maps with keys of type int');
    expect(() => json('[int]')).toThrow('JSON has no values of type type');
  });
});
