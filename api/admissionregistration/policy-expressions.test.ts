// Expressions of policies as they are stored: what compiles, what is told of what does not, and what may stay as it was.
import { describe, expect, it } from 'vitest';
import { MAX_EXPRESSION_CHARS, MAX_OBJECT_PATTERNS_SIZE } from './expression-rules.ts';
import {
  MAX_EXPRESSIONS,
  validateMutatingPolicy,
  validateValidatingPolicy,
} from './policy-validation.ts';

const matchConstraints = {
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  resourceRules: [
    { apiGroups: ['*'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
  ],
};
const base = { failurePolicy: 'Fail', matchConstraints };
const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };

type Validating = Parameters<typeof validateValidatingPolicy>[0];
type Mutating = Parameters<typeof validateMutatingPolicy>[0];

const spec = (more: object) => ({ ...base, validations: [{ expression: 'true' }], ...more });
const rule = (expression: string, more: object = {}) =>
  spec({ validations: [{ expression }], ...more });
const told = (errors: readonly { field: string; message: string }[]) =>
  errors.map(({ field, message }) => `${field}: ${message}`);
const wrong = (now: object, old?: object) =>
  told(validateValidatingPolicy(now as Validating, old as Validating | undefined));

describe('an expression compiles that speaks of', () => {
  it.each([
    ['the object as it is, and as it was', 'object.spec.replicas > oldObject.spec.replicas'],
    ['the request', "request.operation == 'CREATE' && !request.dryRun && request.options.x == 1"],
    [
      'who asks',
      "'a' in request.userInfo.groups && request.userInfo.extra['k'].exists(e, e == 'v')",
    ],
    ['the namespace', "namespaceObject.metadata.labels['a'] == namespaceObject.metadata.UID"],
    [
      'what else may be done',
      "authorizer.group('apps').resource('deployments').subresource('scale').namespace('a').name('b').check('get').allowed()",
    ],
    [
      'the request as it may be done otherwise',
      "authorizer.requestResource.check('approve').allowed()",
    ],
    ['paths', "authorizer.path('/healthz').check('get').reason() == ''"],
    [
      'an account',
      "authorizer.serviceAccount('a', 'b').group('').resource('pods').check('list').errored()",
    ],
  ])('%s', (_, expression) => {
    expect(wrong(rule(expression))).toEqual([]);
  });

  it('parameters and variables, each of those before it', () => {
    const variables = [
      { name: 'limit', expression: 'int(params.data.limit)' },
      { name: 'double', expression: 'variables.limit * 2' },
    ];
    const validations = [
      {
        expression: 'object.spec.replicas <= variables.double',
        messageExpression: "'at most ' + string(variables.double)",
      },
    ];
    const auditAnnotations = [
      { key: 'limit', valueExpression: 'string(variables.limit)' },
      { key: 'none', valueExpression: 'null' },
    ];
    const policy = spec({ paramKind, variables, validations, auditAnnotations });
    expect(wrong(policy)).toEqual([]);
  });
});

describe('an expression is refused, and told where, that', () => {
  it.each<[string, object, string]>([
    [
      'is none',
      rule('object.('),
      'spec.validations[0].expression: Invalid value: "object.(": compilation failed: ERROR: <input>:1:8: Syntax error',
    ],
    [
      'speaks of what is not there',
      rule('objekt.x == 1'),
      'spec.validations[0].expression: Invalid value: "objekt.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to \'objekt\'',
    ],
    [
      'speaks of parameters that the policy has not',
      rule('params.x == 1'),
      'spec.validations[0].expression: Invalid value: "params.x == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to \'params\'',
    ],
    [
      'is no rule',
      rule('1 + 1'),
      'spec.validations[0].expression: Invalid value: "1 + 1": must evaluate to bool but got int',
    ],
    [
      'may be no rule',
      rule('object.spec.fine'),
      'spec.validations[0].expression: Invalid value: "object.spec.fine": must evaluate to bool but got dyn',
    ],
    [
      'is no message',
      spec({ validations: [{ expression: 'true', messageExpression: 'false' }] }),
      'spec.validations[0].messageExpression: Invalid value: "false": must evaluate to string but got bool',
    ],
    [
      'asks for rights in a message',
      spec({
        validations: [
          {
            expression: 'true',
            messageExpression: "string(authorizer.path('/').check('get').allowed())",
          },
        ],
      }),
      "undeclared reference to 'authorizer'",
    ],
    [
      'is no annotation',
      spec({ auditAnnotations: [{ key: 'a', valueExpression: '1' }] }),
      'spec.auditAnnotations[0].valueExpression: Invalid value: "1": must evaluate to one of [string null_type] but got int',
    ],
    [
      'uses a variable in a match condition',
      spec({
        variables: [{ name: 'a', expression: '1' }],
        matchConditions: [{ name: 'c', expression: 'variables.a == 1' }],
      }),
      'spec.matchConditions[0].expression: Invalid value: "variables.a == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to \'variables\'',
    ],
    [
      'uses a variable before it is there',
      spec({
        variables: [
          { name: 'a', expression: 'variables.b' },
          { name: 'b', expression: '1' },
        ],
      }),
      'spec.variables[0].expression: Invalid value: "variables.b": compilation failed: ERROR: <input>:1:10: undefined field \'b\'',
    ],
    [
      'uses a variable as what it is not',
      rule("variables.a.startsWith('x')", { variables: [{ name: 'a', expression: '1' }] }),
      "found no matching overload for 'startsWith' applied to 'int.(string)'",
    ],
  ])('%s', (_, policy, expected) => {
    const errors = wrong(policy);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(expected);
  });
});

describe('a change of a policy', () => {
  const old = spec({ validations: [{ expression: 'object.fine' }, { expression: 'true' }] });

  it('may keep what was stored with a fault, in another place too', () => {
    expect(wrong(old)).toHaveLength(1);
    expect(wrong(old, old)).toEqual([]);
    const moved = spec({ validations: [{ expression: 'true' }, { expression: 'object.fine' }] });
    expect(wrong(moved, old)).toEqual([]);
  });

  it('may not bring a new fault, nor the same to another sort of expression', () => {
    expect(wrong(rule('object.better'), old)).toHaveLength(1);
    const condition = { matchConditions: [{ name: 'c', expression: 'object.fine' }] };
    expect(wrong(spec({ ...old, ...condition }), old)).toEqual([
      'spec.matchConditions[0].expression: Invalid value: "object.fine": must evaluate to bool but got dyn',
    ]);
  });
});

describe('a policy of many expressions', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      name: `v${i}`,
      expression: i === 0 ? '1' : `variables.v${i - 1} + 1`,
    }));
  const last = (count: number) => rule(`variables.v${count - 1} > 1`, { variables: many(count) });

  it('may have as many as the limit says', () => {
    expect(wrong(last(MAX_EXPRESSIONS))).toEqual([]);
  });

  it.each<[string, (count: number) => object]>([
    ['variables', last],
    [
      'validations',
      (count) => spec({ validations: Array.from({ length: count }, () => ({ expression: 'x' })) }),
    ],
  ])('is refused beyond it, before any is compiled: %s', (field, policy) => {
    const count = MAX_EXPRESSIONS + 1;
    expect(wrong(policy(count))).toEqual([
      `spec.${field}: Too many: ${count}: must have at most ${MAX_EXPRESSIONS} items`,
    ]);
  });
});

describe('a mutation', () => {
  const mutation = (patchType: string, expression: string) => {
    const field = patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration';
    const mutations = [{ patchType, [field]: { expression } }];
    const policy = { ...base, reinvocationPolicy: 'Never', mutations };
    return told(validateMutatingPolicy(policy as Mutating));
  };

  it.each([
    [
      'ApplyConfiguration',
      'Object{metadata: Object.metadata{labels: {"a": object.metadata.name}}}',
    ],
    [
      'ApplyConfiguration',
      'has(object.spec) ? Object{} : Object{spec: Object.spec{x: [Object.spec.x{y: 1}]}}',
    ],
    [
      'JSONPatch',
      '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b"), value: "c"}]',
    ],
    [
      'JSONPatch',
      '[JSONPatch{op: "move", from: "/a", path: "/b"}, JSONPatch{op: "add", path: "/c", value: Object.c{d: 1}}]',
    ],
  ])('of type %s may be %s', (patchType, expression) => {
    expect(mutation(patchType, expression)).toEqual([]);
  });

  it.each([
    ['ApplyConfiguration', '{"a": 1}', 'must evaluate to Object but got map(string, int)'],
    ['ApplyConfiguration', 'Object.spec{}', 'must evaluate to Object but got Object.spec'],
    ['JSONPatch', '[]', 'must evaluate to list(JSONPatch) but got list(dyn)'],
    ['JSONPatch', '[JSONPatch{operation: "add"}]', "undefined field 'operation'"],
    [
      'JSONPatch',
      '[JSONPatch{op: 1}]',
      "expected type of field 'op' is 'string' but provided type is 'int'",
    ],
    ['JSONPatch', '[Other{}]', "undeclared reference to 'Other'"],
  ])('of type %s may not be %s', (patchType, expression, expected) => {
    const errors = mutation(patchType, expression);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(expected);
  });
});

describe('all expressions of a policy', () => {
  const long = (chars: number) => `true || object.a == '${'x'.repeat(chars - 22)}'`;
  const tooLong =
    'spec: Forbidden: all expressions together must have at most 262144 characters; divide them among several objects';
  /** A fault that is told where the expression is compiled, and not where it is refused before. */
  const faulty = { name: 'f', expression: 'nowhere' };
  const rest = MAX_EXPRESSION_CHARS - 3 * 80_000;

  it.each<[string, (chars: number) => object]>([
    [
      'match conditions',
      (chars) => ({ matchConditions: [{ name: 'c', expression: long(chars) }] }),
    ],
    ['variables', (chars) => ({ variables: [{ name: 'v', expression: long(chars) }] })],
    ['validations', (chars) => ({ validations: [{ expression: long(chars - 4) }] })],
    [
      'messages',
      (chars) => ({
        validations: [{ expression: 'true', messageExpression: `${long(chars - 12)} ? '' : ''` }],
      }),
    ],
    [
      'audit annotations',
      (chars) => ({
        auditAnnotations: [{ key: 'k', valueExpression: `${long(chars - 12)} ? '' : ''` }],
      }),
    ],
  ])('are counted together, those of %s too, before any is compiled', (_, more) => {
    const variables = Array.from({ length: 3 }, (_each, i) => ({
      name: `long${i}`,
      expression: long(80_000),
    }));
    const policy = (chars: number) => {
      const extra = more(chars) as { variables?: object[] };
      return spec({ ...extra, variables: [...variables, ...(extra.variables ?? [])] });
    };
    expect(wrong(policy(rest - 4))).toEqual([]);
    const over = policy(rest + 1) as unknown as { variables: object[] };
    expect(wrong({ ...over, variables: [...over.variables, faulty] })).toEqual([tooLong]);
  });

  it.each(['JSONPatch', 'ApplyConfiguration'])(
    'are counted in mutations of type %s',
    (patchType) => {
      const field = patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration';
      const mutations = Array.from({ length: 4 }, () => ({
        patchType,
        [field]: { expression: `nowhere + '${'x'.repeat(70_000)}'` },
      }));
      const policy = { ...base, reinvocationPolicy: 'Never', mutations };
      expect(told(validateMutatingPolicy(policy as Mutating))).toEqual([tooLong]);
    },
  );

  it('may be as long as they were when they were stored, and no longer', () => {
    const validations = Array.from({ length: 4 }, () => ({ expression: long(80_000) }));
    const old = spec({ validations });
    expect(wrong(old)).toEqual([tooLong]);
    expect(wrong({ ...old, failurePolicy: 'Ignore' }, old)).toEqual([]);
    expect(wrong(spec({ validations: validations.slice(1) }), old)).toEqual([]);
    expect(wrong(spec({ validations: [...validations, { expression: '1' }] }), old)).toEqual([
      tooLong,
    ]);
  });
});

describe('all patterns of a policy', () => {
  /** Some 4,500 parts each. */
  const large = (count: number, name = '') =>
    Array.from({ length: count }, (_, i) => ({
      expression: `'a'.matches('^(?:a?b?c?){500}${name}${i}$')`,
    }));
  const tooLarge = new RegExp(`at most ${MAX_OBJECT_PATTERNS_SIZE} parts in an object`);

  it('are bounded together, wherever they stand', () => {
    expect(wrong(spec({ validations: large(10) }))).toEqual([]);
    const variables = large(12).map((one, i) => ({ name: `v${i}`, ...one }));
    const errors = wrong(spec({ variables, validations: large(15, 'r') }));
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.at(-1)).toMatch(/^spec\.validations\[14\]\.expression: Invalid value/);
    for (const error of errors) expect(error).toMatch(tooLarge);
  });

  it('may stay as they were stored, and a change may add none', () => {
    const old = spec({ validations: large(60) });
    expect(wrong(old)).not.toEqual([]);
    expect(wrong({ ...old, failurePolicy: 'Ignore' }, old)).toEqual([]);
    const [added, ...others] = wrong(spec({ validations: [...large(60), ...large(1, 'r')] }), old);
    expect(added).toMatch(/^spec\.validations\[60\]/);
    expect(added).toMatch(tooLarge);
    expect(others).toEqual([]);
    expect(wrong(spec({ validations: [...large(25, 'r'), ...large(60)] }), old)).not.toEqual([]);
  });
});
