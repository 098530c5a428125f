// Kinds of flowcontrol.apiserver.k8s.io: defaults, rules with their fields and types, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import { flowSchemaDefinition } from './flow-schema.ts';
import { priorityLevelConfigurationDefinition } from './priority-level-configuration.ts';

describe('FlowSchemas', () => {
  const priorityLevelConfiguration = { name: 'workload' };
  const subject = { kind: 'User', user: { name: 'ann' } };
  const resources = {
    verbs: ['get'],
    apiGroups: [''],
    resources: ['pods'],
    namespaces: ['default'],
  };
  const schema = (more: object = {}, name = 's') =>
    made(flowSchemaDefinition, {
      metadata: { name },
      spec: { priorityLevelConfiguration, ...more },
    });
  const ruled = (more: object) => ({
    rules: [{ subjects: [subject], resourceRules: [resources], ...more }],
  });
  const about = (more: object) => ruled({ resourceRules: [{ ...resources, ...more }] });
  const paths = (more: object) =>
    ruled({ nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'], ...more }] });
  const accounts = (serviceAccount: object) =>
    ruled({ subjects: [{ kind: 'ServiceAccount', serviceAccount }] });

  it('have a precedence of 1000 unless they say otherwise', () => {
    expect(schema().spec?.matchingPrecedence).toBe(1000);
    for (const fine of [{}, ruled({}), paths({}), paths({ nonResourceURLs: ['/api/*', '/apis'] })])
      expect(broken(flowSchemaDefinition, schema(fine))).toEqual([]);
    expect(broken(flowSchemaDefinition, schema({ matchingPrecedence: 1 }, 'exempt'))).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['a precedence below zero', { matchingPrecedence: -1 }, ['matchingPrecedence Invalid']],
    ['a precedence too high', { matchingPrecedence: 10_001 }, ['matchingPrecedence Invalid']],
    ['the first precedence', { matchingPrecedence: 1 }, ['matchingPrecedence Invalid']],
    ['no level', { priorityLevelConfiguration: {} }, ['priorityLevelConfiguration.name Required']],
    [
      'an odd level',
      { priorityLevelConfiguration: { name: 'A' } },
      ['priorityLevelConfiguration.name Invalid'],
    ],
    [
      'an odd way to tell flows apart',
      { distinguisherMethod: { type: 'ByMood' } },
      ['distinguisherMethod.type NotSupported'],
    ],
    ['nobody', ruled({ subjects: [] }), ['rules[0].subjects Required']],
    ['nothing', ruled({ resourceRules: [] }), ['rules[0] Required']],
    [
      'an odd subject',
      ruled({ subjects: [{ kind: 'Dog' }] }),
      ['rules[0].subjects[0].kind NotSupported'],
    ],
    [
      'a subject of another kind',
      ruled({ subjects: [{ kind: 'Group', user: { name: 'a' } }] }),
      ['rules[0].subjects[0].group Required', 'rules[0].subjects[0].user Forbidden'],
    ],
    [
      'an account of no name and nowhere',
      accounts({}),
      [
        'rules[0].subjects[0].serviceAccount.name Required',
        'rules[0].subjects[0].serviceAccount.namespace Required',
      ],
    ],
    ['no verbs', about({ verbs: [] }), ['rules[0].resourceRules[0].verbs Required']],
    ['odd verbs', about({ verbs: ['eat'] }), ['rules[0].resourceRules[0].verbs NotSupported']],
    [
      'all verbs and one',
      about({ verbs: ['*', 'get'] }),
      ['rules[0].resourceRules[0].verbs Invalid'],
    ],
    ['no groups', about({ apiGroups: [] }), ['rules[0].resourceRules[0].apiGroups Required']],
    [
      'all resources and one',
      about({ resources: ['*', 'pods'] }),
      ['rules[0].resourceRules[0].resources Invalid'],
    ],
    ['no namespaces', about({ namespaces: [] }), ['rules[0].resourceRules[0].namespaces Required']],
    [
      'all namespaces and one',
      about({ namespaces: ['*', 'a'] }),
      ['rules[0].resourceRules[0].namespaces Invalid'],
    ],
    [
      'odd namespaces',
      about({ namespaces: ['A'] }),
      ['rules[0].resourceRules[0].namespaces[0] Invalid'],
    ],
    [
      'no paths',
      paths({ nonResourceURLs: [] }),
      ['rules[0].nonResourceRules[0].nonResourceURLs Required'],
    ],
    [
      'odd paths',
      paths({ nonResourceURLs: ['', 'a', '/a b', '/a//b', '/a/*/b', '/a*'] }),
      Array.from(
        { length: 6 },
        (_, i) => `rules[0].nonResourceRules[0].nonResourceURLs[${i}] Invalid`,
      ),
    ],
    [
      'all paths and one',
      paths({ nonResourceURLs: ['*', '/a'] }),
      ['rules[0].nonResourceRules[0].nonResourceURLs Invalid'],
    ],
  ])('refuse %s', (...[, more, fields]) => {
    const errors = broken(flowSchemaDefinition, schema(more));
    expect(errors).toEqual(fields.map((field) => `spec.${field}`));
  });

  it('show their level, and whether it is missing', () => {
    expect(cells(flowSchemaDefinition, schema())).toMatchObject({
      PriorityLevel: 'workload',
      MatchingPrecedence: 1000,
      DistinguisherMethod: '<none>',
      MissingPL: '?',
    });
    const status = { conditions: [{ type: 'Dangling', status: 'True' }] };
    expect(cells(flowSchemaDefinition, { ...schema(), status })['MissingPL']).toBe('True');
  });
});

describe('PriorityLevelConfigurations', () => {
  const level = (spec: object, name = 'l') =>
    made(priorityLevelConfigurationDefinition, { metadata: { name }, spec });
  const limited = (more: object = {}) =>
    level({ type: 'Limited', limited: { limitResponse: { type: 'Reject' }, ...more } });
  const queued = (queuing: object) => limited({ limitResponse: { type: 'Queue', queuing } });

  it('have what upstream fills in', () => {
    expect(queued({}).spec?.limited).toEqual({
      nominalConcurrencyShares: 30,
      lendablePercent: 0,
      limitResponse: {
        type: 'Queue',
        queuing: { handSize: 8, queues: 64, queueLengthLimit: 50 },
      },
    });
    const exempt = level({ type: 'Exempt' }, 'exempt');
    expect(exempt.spec?.exempt).toEqual({ nominalConcurrencyShares: 0, lendablePercent: 0 });
    for (const one of [queued({}), limited(), exempt])
      expect(broken(priorityLevelConfigurationDefinition, one)).toEqual([]);
  });

  it.each<[string, () => ReturnType<typeof level>, string[]]>([
    ['no type', () => level({}), ['type NotSupported']],
    ['an exemption of another name', () => level({ type: 'Exempt' }), ['type Invalid']],
    [
      'limits of what has none',
      () => level({ type: 'Exempt', limited: {} }, 'exempt'),
      ['limited Forbidden'],
    ],
    ['no limits', () => level({ type: 'Limited' }), ['limited Required']],
    [
      'an exemption from limits',
      () => level({ type: 'Limited', exempt: {}, limited: { limitResponse: { type: 'Reject' } } }),
      ['exempt Forbidden'],
    ],
    [
      'shares below zero',
      () =>
        limited({ nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1 }),
      [
        'limited.borrowingLimitPercent Invalid',
        'limited.nominalConcurrencyShares Invalid',
        'limited.lendablePercent Invalid',
      ],
    ],
    [
      'no answer at the limit',
      () => limited({ limitResponse: {} }),
      ['limited.limitResponse.type NotSupported'],
    ],
    [
      'queues of what does not wait',
      () => limited({ limitResponse: { type: 'Reject', queuing: {} } }),
      ['limited.limitResponse.queuing Forbidden'],
    ],
    [
      'waiting without queues',
      () => limited({ limitResponse: { type: 'Queue' } }),
      ['limited.limitResponse.queuing Required'],
    ],
    [
      'odd queues',
      () => queued({ queues: 10_000_001, handSize: 10_000_002, queueLengthLimit: -1 }),
      [
        'limited.limitResponse.queuing.queueLengthLimit Invalid',
        'limited.limitResponse.queuing.queues Invalid',
        'limited.limitResponse.queuing.handSize Invalid',
      ],
    ],
  ])('refuse %s', (...[, one, fields]) => {
    const errors = broken(priorityLevelConfigurationDefinition, one());
    expect(errors).toEqual(fields.map((field) => `spec.${field}`));
  });

  it('show their limits', () => {
    expect(cells(priorityLevelConfigurationDefinition, queued({}))).toMatchObject({
      Type: 'Limited',
      NominalConcurrencyShares: 30,
      Queues: 64,
      HandSize: 8,
      QueueLengthLimit: 50,
    });
    expect(cells(priorityLevelConfigurationDefinition, limited())['Queues']).toBe('<none>');
  });
});
