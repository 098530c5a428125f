// Admission policies and their bindings: defaults, rules with their fields and types, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import {
  mutatingAdmissionPolicyDefinition,
  validatingAdmissionPolicyDefinition,
} from './admission-policy.ts';
import {
  mutatingAdmissionPolicyBindingDefinition,
  validatingAdmissionPolicyBindingDefinition,
} from './policy-binding.ts';

const rule = { apiGroups: ['*'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
const constraints = { resourceRules: [rule] };

describe('ValidatingAdmissionPolicies', () => {
  const policy = (more: object = {}) =>
    made(validatingAdmissionPolicyDefinition, {
      spec: { matchConstraints: constraints, validations: [{ expression: 'true' }], ...more },
    });

  it('fail closed, and match what is equivalent', () => {
    expect(policy().spec).toMatchObject({
      failurePolicy: 'Fail',
      matchConstraints: {
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
        resourceRules: [{ scope: '*' }],
      },
    });
    expect(broken(validatingAdmissionPolicyDefinition, policy())).toEqual([]);
  });

  const validation = (more: object) => ({ validations: [{ expression: 'true', ...more }] });
  it.each<[string, object, string[]]>([
    ['no constraints', { matchConstraints: undefined }, ['matchConstraints Required']],
    [
      'constraints of no rules',
      { matchConstraints: {} },
      ['matchConstraints.resourceRules Required'],
    ],
    ['no rules', { validations: [] }, ['validations Required', 'auditAnnotations Required']],
    ['no expression', validation({ expression: '' }), ['validations[0].expression Required']],
    ['a blank message', validation({ message: ' ' }), ['validations[0].message Invalid']],
    ['a message of lines', validation({ message: 'a\nb' }), ['validations[0].message Invalid']],
    [
      'an expression of lines without a message',
      validation({ expression: 'true\n|| false' }),
      ['validations[0].message Required'],
    ],
    [
      'a blank message expression',
      validation({ messageExpression: '' }),
      ['validations[0].messageExpression Invalid'],
    ],
    ['an odd reason', validation({ reason: 'Mood' }), ['validations[0].reason NotSupported']],
    ['an odd failure policy', { failurePolicy: 'Panic' }, ['failurePolicy NotSupported']],
    [
      'a kind of no name',
      { paramKind: {} },
      ['paramKind.apiVersion Required', 'paramKind.kind Required'],
    ],
    [
      'an odd kind',
      { paramKind: { apiVersion: 'a/b/c', kind: 'a_b' } },
      ['paramKind.apiVersion Invalid', 'paramKind.kind Invalid'],
    ],
    [
      'odd variables',
      {
        variables: [
          { name: '', expression: '1' },
          { name: '1a', expression: '1' },
          { name: 'a', expression: '' },
          { name: 'a', expression: '1' },
        ],
      },
      [
        'variables[0].name Required',
        'variables[1].name Invalid',
        'variables[2].expression Required',
        'variables[3].name Duplicate',
      ],
    ],
    [
      'odd annotations',
      {
        auditAnnotations: [
          { key: '', valueExpression: '' },
          { key: 'a', valueExpression: '"1"' },
          { key: 'a', valueExpression: 'null' },
        ],
      },
      [
        'auditAnnotations[0].key Required',
        'auditAnnotations[0].valueExpression Required',
        'auditAnnotations[2].key Duplicate',
      ],
    ],
    [
      'too many annotations',
      { auditAnnotations: Array.from({ length: 21 }, () => ({ key: 'a', valueExpression: '1' })) },
      ['auditAnnotations TooMany'],
    ],
    [
      'a name of an object twice',
      { matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a', 'a'] }] } },
      ['matchConstraints.resourceRules[0].resourceNames[1] Duplicate'],
    ],
  ])('refuse %s', (...[, more, fields]) => {
    const errors = broken(validatingAdmissionPolicyDefinition, policy(more));
    expect(errors).toEqual(fields.map((field) => `spec.${field}`));
  });

  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Fine',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  };
  const warnings = (...expressionWarnings: object[]) => ({ typeChecking: { expressionWarnings } });
  it.each<[string, object, string[]]>([
    ['take what type checking found', warnings({ fieldRef: 'spec', warning: 'w' }), []],
    ['take a condition', { conditions: [condition] }, []],
    [
      'refuse an empty warning',
      warnings({ fieldRef: ' ', warning: '' }),
      [
        'typeChecking.expressionWarnings[0].warning Required',
        'typeChecking.expressionWarnings[0].fieldRef Required',
      ],
    ],
    [
      'refuse a condition of nothing',
      { conditions: [{}] },
      [
        'conditions[0].type Required',
        'conditions[0].status NotSupported',
        'conditions[0].lastTransitionTime Required',
        'conditions[0].reason Required',
      ],
    ],
    [
      'refuse an odd condition, and one twice',
      {
        conditions: [
          condition,
          { ...condition, reason: 'no reason', observedGeneration: -1, message: 'x'.repeat(32769) },
        ],
      },
      [
        'conditions[1].observedGeneration Invalid',
        'conditions[1].reason Invalid',
        'conditions[1].message Invalid',
        'conditions[1].type Duplicate',
      ],
    ],
  ])('%s in their status', (...[, status, fields]) => {
    const object = { ...policy(), status } as ReturnType<typeof policy>;
    const errors = validatingAdmissionPolicyDefinition.validateStatus?.(object, policy()) ?? [];
    const shown = errors.map(({ field, type }) => `${field} ${type.replace('FieldValue', '')}`);
    expect(shown).toEqual(fields.map((field) => `status.${field}`));
  });

  it('show how many rules, and the kind of their parameters', () => {
    expect(cells(validatingAdmissionPolicyDefinition, policy())).toMatchObject({
      Validations: 1,
      ParamKind: '<unset>',
    });
    const one = policy({ paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } });
    expect(cells(validatingAdmissionPolicyDefinition, one)['ParamKind']).toBe('v1/ConfigMap');
  });
});

describe('MutatingAdmissionPolicies', () => {
  const policy = (mutations: object[], more: object = {}) =>
    made(mutatingAdmissionPolicyDefinition, {
      spec: { matchConstraints: constraints, reinvocationPolicy: 'Never', mutations, ...more },
    });
  const removal = "[JSONPatch{op: 'remove', path: '/spec/a'}]";
  const patch = { patchType: 'JSONPatch', jsonPatch: { expression: removal } };

  it.each<[string, object[], string[]]>([
    ['take a patch', [patch], []],
    ['refuse none', [], ['mutations Required']],
    ['refuse one of no type', [{}], ['mutations[0].patchType Required']],
    ['refuse an odd one', [{ patchType: 'Magic' }], ['mutations[0].patchType NotSupported']],
    [
      'refuse one that says another',
      [{ patchType: 'ApplyConfiguration', jsonPatch: { expression: '[]' } }],
      ['mutations[0].applyConfiguration Required', 'mutations[0].jsonPatch Forbidden'],
    ],
    [
      'refuse one without its text',
      [{ patchType: 'JSONPatch', jsonPatch: {} }],
      ['mutations[0].jsonPatch.expression Required'],
    ],
  ])('%s', (...[, mutations, fields]) => {
    const errors = broken(mutatingAdmissionPolicyDefinition, policy(mutations));
    expect(errors).toEqual(fields.map((field) => `spec.${field}`));
  });

  it('have to say whether they are asked again: upstream has no default for that', () => {
    const silent = policy([patch], { reinvocationPolicy: undefined });
    expect(silent.spec).not.toMatchObject({ reinvocationPolicy: 'Never' });
    const fields = broken(mutatingAdmissionPolicyDefinition, silent);
    expect(fields).toEqual(['spec.reinvocationPolicy Required']);
  });

  it.each(['*', 'CONNECT', 'CREATE', 'UPDATE'])('may be about the operation %s', (operation) => {
    const matchConstraints = { resourceRules: [{ ...rule, operations: [operation] }] };
    const one = policy([patch], { matchConstraints });
    expect(broken(mutatingAdmissionPolicyDefinition, one)).toEqual([]);
  });

  it('are not about deletions, and neither are their bindings', () => {
    const deletions = { resourceRules: [rule, { ...rule, operations: ['CREATE', 'DELETE'] }] };
    const excluded = { ...constraints, excludeResourceRules: deletions.resourceRules };
    const told = (field: string) => [
      expect.objectContaining({
        field: `spec.${field}.resourceRules.operations`,
        message:
          'Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
      }),
    ];
    const errors = (matchConstraints: object) => {
      const one = policy([patch], { matchConstraints });
      return mutatingAdmissionPolicyDefinition.validate?.(one, undefined);
    };
    expect(errors(deletions)).toEqual(told('matchConstraints'));
    expect(errors(excluded)).toEqual([]);
    const bound = made(mutatingAdmissionPolicyBindingDefinition, {
      spec: { policyName: 'p', matchResources: deletions },
    });
    expect(mutatingAdmissionPolicyBindingDefinition.validate?.(bound, undefined)).toEqual(
      told('matchResources'),
    );
  });

  it('show how many changes they make', () => {
    expect(cells(mutatingAdmissionPolicyDefinition, policy([patch]))['Mutations']).toBe(1);
  });
});

describe('bindings of policies', () => {
  const binding = (more: object = {}) =>
    made(validatingAdmissionPolicyBindingDefinition, {
      spec: { policyName: 'p', validationActions: ['Deny'], ...more },
    });
  const param = (more: object) => ({
    paramRef: { name: 'a', parameterNotFoundAction: 'Deny', ...more },
  });

  it.each<[string, object, string[]]>([
    ['take a policy', {}, []],
    ['take parameters', param({}), []],
    ['refuse no policy', { policyName: '' }, ['policyName Required']],
    ['refuse no action', { validationActions: [] }, ['validationActions Required']],
    [
      'refuse odd actions',
      { validationActions: ['Deny', 'Deny', 'Cry'] },
      ['validationActions[1] Duplicate', 'validationActions[2] NotSupported'],
    ],
    [
      'refuse to deny and to warn',
      { validationActions: ['Deny', 'Warn'] },
      ['validationActions Invalid'],
    ],
    ['refuse parameters of no name', param({ name: '' }), ['paramRef Required']],
    ['refuse two ways to parameters', param({ selector: {} }), ['paramRef.name Forbidden']],
    [
      'refuse no word on missing parameters',
      param({ parameterNotFoundAction: undefined }),
      ['paramRef.parameterNotFoundAction Required'],
    ],
    [
      'refuse odd resources',
      { matchResources: { matchPolicy: 'Some' } },
      ['matchResources.matchPolicy NotSupported'],
    ],
  ])('%s', (...[, more, fields]) => {
    const errors = broken(validatingAdmissionPolicyBindingDefinition, binding(more));
    expect(errors).toEqual(fields.map((field) => `spec.${field}`));
  });

  it.each<[object, string]>([
    [{}, '<unset>'],
    [param({}), '*/a'],
    [param({ namespace: 'n' }), 'n/a'],
    [{ paramRef: { selector: { matchLabels: { a: 'b' } } } }, 'a=b'],
  ])('show %j as %s', (more, text) => {
    expect(cells(validatingAdmissionPolicyBindingDefinition, binding(more))).toMatchObject({
      PolicyName: 'p',
      ParamRef: text,
    });
  });

  it('of mutating policies need no action', () => {
    const one = made(mutatingAdmissionPolicyBindingDefinition, { spec: { policyName: 'p' } });
    expect(broken(mutatingAdmissionPolicyBindingDefinition, one)).toEqual([]);
  });
});
