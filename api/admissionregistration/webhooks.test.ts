// Webhook configurations: defaults, rules with their fields and types, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import { MAX_EXPRESSION_CHARS, MAX_OBJECT_PATTERNS_SIZE } from './expression-rules.ts';
import {
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
} from './webhook-configuration.ts';
import { cpuMs } from '../../test/support/cpu.ts';

const rule = { apiGroups: ['*'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };

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
    const check = () => expect(broken(validatingWebhookConfigurationDefinition, one)).toEqual([]);
    expect(cpuMs(check)).toBeLessThan(LINEAR_CEILING_MS);
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
