// Kinds of admissionregistration.k8s.io: defaults, rules with their fields and types, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import {
  mutatingAdmissionPolicyDefinition,
  validatingAdmissionPolicyDefinition,
} from './admission-policy.ts';
import { MAX_EXPRESSION_CHARS, MAX_OBJECT_PATTERNS_SIZE } from './expression-rules.ts';
import {
  mutatingAdmissionPolicyBindingDefinition,
  validatingAdmissionPolicyBindingDefinition,
} from './policy-binding.ts';
import {
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
} from './webhook-configuration.ts';

const rule = { apiGroups: ['*'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
const constraints = { resourceRules: [rule] };
/** Comparing each of many thousand entries with all others takes longer on any host. */
const LINEAR_CEILING_MS = 4000;

describe('webhooks', () => {
  const hook = (more: object = {}) => ({
    name: 'check.example.com',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    clientConfig: { url: 'https://example.com/check' },
    rules: [rule],
    ...more,
  });
  const configuration = (...hooks: object[]) =>
    made(validatingWebhookConfigurationDefinition, { webhooks: hooks });

  it('have what upstream fills in', () => {
    const service = { name: 'a', namespace: 'b' };
    const [validating] = configuration(hook({ clientConfig: { service } })).webhooks ?? [];
    expect(validating).toMatchObject({
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      rules: [{ scope: '*' }],
      clientConfig: { service: { port: 443 } },
    });
    expect(validating).not.toHaveProperty('reinvocationPolicy');
    const mutating = made(mutatingWebhookConfigurationDefinition, { webhooks: [hook()] });
    expect(mutating.webhooks?.[0]?.reinvocationPolicy).toBe('Never');
    expect(broken(mutatingWebhookConfigurationDefinition, mutating)).toEqual([]);
    expect(broken(validatingWebhookConfigurationDefinition, configuration(hook()))).toEqual([]);
  });

  const ruled = (more: object) => ({ rules: [{ ...rule, ...more }] });
  const service = (more: object) => ({
    clientConfig: { service: { name: 'a', namespace: 'b', ...more } },
  });
  it.each<[string, object, string[]]>([
    ['no name', { name: '' }, ['name Required']],
    ['a short name', { name: 'a.b' }, ['name Invalid']],
    ['no review versions', { admissionReviewVersions: [] }, ['admissionReviewVersions Required']],
    [
      'review versions unknown here',
      { admissionReviewVersions: ['v2'] },
      ['admissionReviewVersions Invalid'],
    ],
    [
      'a review version twice',
      { admissionReviewVersions: ['v1', 'v1'] },
      ['admissionReviewVersions[1] Invalid'],
    ],
    ['no word on side effects', { sideEffects: undefined }, ['sideEffects Required']],
    ['side effects', { sideEffects: 'Some' }, ['sideEffects NotSupported']],
    ['an odd failure policy', { failurePolicy: 'Panic' }, ['failurePolicy NotSupported']],
    ['an odd match policy', { matchPolicy: 'Some' }, ['matchPolicy NotSupported']],
    ['no time at all', { timeoutSeconds: 0 }, ['timeoutSeconds Invalid']],
    ['too much time', { timeoutSeconds: 31 }, ['timeoutSeconds Invalid']],
    ['nobody to ask', { clientConfig: {} }, ['clientConfig Required']],
    ['what is no URL', { clientConfig: { url: 'x' } }, ['clientConfig.url Invalid']],
    [
      'a URL of another form',
      { clientConfig: { url: 'http://me@example.com/?a=b#c' } },
      Array.from({ length: 4 }, () => 'clientConfig.url Invalid'),
    ],
    ['a service of no name', service({ name: '' }), ['clientConfig.service.name Required']],
    ['a port that is none', service({ port: 0 }), ['clientConfig.service.port Invalid']],
    ['a path without its slash', service({ path: 'a' }), ['clientConfig.service.path Invalid']],
    ['a path with a hole', service({ path: '/a//b' }), ['clientConfig.service.path Invalid']],
    ['a rule of no operations', ruled({ operations: [] }), ['rules[0].operations Required']],
    [
      'a rule of odd operations',
      ruled({ operations: ['READ'] }),
      ['rules[0].operations[0] NotSupported'],
    ],
    [
      'a rule of all operations and one',
      ruled({ operations: ['*', 'CREATE'] }),
      ['rules[0].operations Invalid'],
    ],
    ['a rule of no groups', ruled({ apiGroups: [] }), ['rules[0].apiGroups Required']],
    [
      'a rule of an empty version',
      ruled({ apiVersions: [''] }),
      ['rules[0].apiVersions[0] Required'],
    ],
    ['a rule of no resources', ruled({ resources: [] }), ['rules[0].resources Required']],
    [
      'a rule of all resources and one',
      ruled({ resources: ['*', 'pods'] }),
      ['rules[0].resources Invalid'],
    ],
    [
      'a rule that says a subresource twice',
      ruled({ resources: ['pods/*', 'pods/status', '*/scale', 'deployments/scale'] }),
      ['rules[0].resources[1] Invalid', 'rules[0].resources[3] Invalid'],
    ],
    ['a rule of an odd scope', ruled({ scope: 'World' }), ['rules[0].scope NotSupported']],
    [
      'an odd selector',
      { objectSelector: { matchLabels: { a: '!' } } },
      ['objectSelector.matchLabels Invalid'],
    ],
    [
      'conditions without names and texts, and twice',
      {
        matchConditions: [
          { name: '', expression: ' ' },
          { name: 'a', expression: 'true' },
          { name: 'a', expression: 'true' },
        ],
      },
      [
        'matchConditions[0].name Required',
        'matchConditions[0].expression Required',
        'matchConditions[2].name Duplicate',
      ],
    ],
    [
      'too many conditions',
      {
        matchConditions: Array.from({ length: 65 }, (_, i) => ({ name: `c${i}`, expression: '1' })),
      },
      ['matchConditions TooMany'],
    ],
  ])('refuse %s', (...[, more, fields]) => {
    const errors = broken(validatingWebhookConfigurationDefinition, configuration(hook(more)));
    expect(errors).toEqual(fields.map((field) => `webhooks[0].${field}`));
  });

  it.each<[string, number, (texts: string[]) => object[]]>([
    ['webhooks', 40_000, (texts) => texts.map((name) => hook({ name: `${name}.example.com` }))],
    ['versions', 100_000, (texts) => [hook({ admissionReviewVersions: ['v1beta1', ...texts] })]],
    [
      'resources',
      60_000,
      (texts) => [hook(ruled({ resources: texts.map((text) => `${text}/status`) }))],
    ],
  ])('are checked in time that is linear in their %s', (_, count, hooks) => {
    const one = configuration(...hooks(Array.from({ length: count }, (_each, i) => `v${i}`)));
    const begun = performance.now();
    expect(broken(validatingWebhookConfigurationDefinition, one)).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(LINEAR_CEILING_MS);
  });

  it('have a name each', () => {
    const errors = broken(validatingWebhookConfigurationDefinition, configuration(hook(), hook()));
    expect(errors).toEqual(['webhooks[1].name Duplicate']);
  });

  /** Webhooks of one condition each. */
  const asking = (...expressions: string[]) =>
    configuration(
      ...expressions.map((expression, i) =>
        hook({ name: `h${i}.example.com`, matchConditions: [{ name: 'c', expression }] }),
      ),
    );
  const faults = (...[now, before]: ReturnType<typeof asking>[]) => {
    const errors = now && validatingWebhookConfigurationDefinition.validate?.(now, before);
    return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
  };

  it('have conditions that are bounded together, unless they were stored before', () => {
    const long = Array.from({ length: 4 }, () => `true || '${'x'.repeat(70_000)}' == ''`);
    const tooLong = expect.stringContaining(`must have at most ${MAX_EXPRESSION_CHARS} characters`);
    expect(faults(asking(...long.slice(1)))).toEqual([]);
    // The last would be told of, if it was compiled.
    expect(faults(asking(...long, 'nowhere'))).toEqual([tooLong]);
    expect(faults(asking(...long), asking(...long))).toEqual([]);
    expect(faults(asking(...long, 'true'), asking(...long))).toEqual([tooLong]);
  });

  it('have patterns that are bounded together, unless they were stored before', () => {
    const large = (count: number, name: string) =>
      Array.from({ length: count }, (_, i) => `'a'.matches('^(?:a?b?c?){500}${name}${i}$')`);
    const tooLarge = expect.stringContaining(
      `at most ${MAX_OBJECT_PATTERNS_SIZE} parts in an object`,
    );
    const [many, some] = [large(60, 'm'), large(10, 's')];
    expect(faults(asking(...some))).toEqual([]);
    expect(faults(asking(...many)).at(-1)).toEqual(tooLarge);
    expect(faults(asking(...many), asking(...many))).toEqual([]);
    // What was let in before may not be pushed out of its room by what is new.
    const more = faults(asking(...large(10, 'n'), ...some), asking(...some));
    expect(more.length).toBeGreaterThan(0);
    expect(more).toEqual(more.map(() => tooLarge));
  });

  it('are counted', () => {
    const shown = cells(validatingWebhookConfigurationDefinition, configuration(hook(), hook()));
    expect(shown['Webhooks']).toBe(2);
  });
});

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
