// LimitRanges and ResourceQuotas: defaults, rules, what may change, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { ResourceQuota } from '../generated/types.ts';
import { limitRangeDefinition } from './limit-range.ts';
import { resourceQuotaDefinition } from './resource-quota.ts';

describe('LimitRanges', () => {
  const range = (...limits: object[]) => made(limitRangeDefinition, { spec: { limits } });

  it('give containers the next looser bound where one is not said', () => {
    const item = { type: 'Container', max: { cpu: '2' }, min: { memory: '1Ki' } };
    expect(range(item).spec?.limits).toEqual([
      { ...item, default: { cpu: '2' }, defaultRequest: { cpu: '2', memory: '1Ki' } },
    ]);
    const said = { type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '500m' } };
    expect(range(said).spec?.limits).toEqual([said]);
    expect(range({ type: 'Pod', max: { cpu: '2' } }).spec?.limits).toEqual([
      { type: 'Pod', max: { cpu: '2' } },
    ]);
  });

  const at = 'spec.limits[0]';
  it.each<[string, object, string[]]>([
    ['nothing wrong', { type: 'Container', max: { cpu: '2' }, min: { cpu: '1' } }, []],
    ['an odd type', { type: 'Odd' }, [`${at}.type Invalid`]],
    ['a type of a domain', { type: 'a.io/b', max: { 'a.io/c': '1' } }, []],
    [
      'an odd resource',
      { type: 'Container', max: { gold: '1' } },
      [
        `${at}.max[gold] Invalid`,
        `${at}.max[gold] Invalid`,
        `${at}.default[gold] Invalid`,
        `${at}.default[gold] Invalid`,
        `${at}.defaultRequest[gold] Invalid`,
        `${at}.defaultRequest[gold] Invalid`,
      ],
    ],
    ['defaults for pods', { type: 'Pod', default: { cpu: '1' } }, [`${at}.default Forbidden`]],
    ['claims without bounds', { type: 'PersistentVolumeClaim' }, [`${at}.limits Required`]],
    ['claims', { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }, []],
    [
      'a least above the most',
      { type: 'Pod', max: { cpu: '1' }, min: { cpu: '2' } },
      [`${at}.min[cpu] Invalid`],
    ],
    [
      'a default above the most',
      { type: 'Container', max: { cpu: '1' }, default: { cpu: '2' }, defaultRequest: { cpu: '1' } },
      [`${at}.default[cpu] Invalid`],
    ],
    [
      'a request above the limit',
      { type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '2' } },
      [`${at}.defaultRequest[cpu] Invalid`],
    ],
    [
      'a ratio below one',
      { type: 'Pod', maxLimitRequestRatio: { cpu: '0.5' } },
      [`${at}.maxLimitRequestRatio[cpu] Invalid`],
    ],
    [
      'a ratio that the bounds forbid',
      { type: 'Pod', max: { cpu: '2' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '3' } },
      [`${at}.maxLimitRequestRatio[cpu] Invalid`],
    ],
    [
      'huge pages to be shared out twice',
      {
        type: 'Container',
        default: { 'hugepages-2Mi': '4Mi' },
        defaultRequest: { 'hugepages-2Mi': '2Mi' },
      },
      [`${at}.defaultRequest[hugepages-2Mi] Invalid`],
    ],
  ])('with %s', (_, item, errors) => {
    expect(broken(limitRangeDefinition, range(item))).toEqual(errors);
  });

  it('speak of a type once', () => {
    const item = { type: 'Pod', max: { cpu: '1' } };
    expect(broken(limitRangeDefinition, range(item, item))).toEqual([
      'spec.limits[1].type Duplicate',
    ]);
  });

  it('show when they were made', () => {
    const metadata = { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' };
    expect(cells(limitRangeDefinition, made(limitRangeDefinition, { metadata }))).toEqual({
      Name: 'x',
      'Created At': '2026-01-01T00:00:00Z',
    });
  });
});

describe('ResourceQuotas', () => {
  const quota = (spec: object): ResourceQuota => made(resourceQuotaDefinition, { spec });
  const selector = (requirement: object) => ({
    scopeSelector: { matchExpressions: [requirement] },
  });
  const at = 'spec.scopeSelector.matchExpressions';

  it.each<[string, object, string[]]>([
    [
      'amounts',
      { hard: { cpu: '1', 'limits.memory': '1Gi', pods: '3', 'requests.storage': '1Ti' } },
      [],
    ],
    ['counts of any kind', { hard: { 'count/jobs.batch': '2' } }, []],
    ['amounts of others', { hard: { 'requests.a.io/gpu': '2' } }, []],
    ['huge pages', { hard: { 'requests.hugepages-2Mi': '2Mi' } }, []],
    [
      'an odd resource',
      { hard: { gold: '1' } },
      ['spec.hard[gold] Invalid', 'spec.hard[gold] Invalid'],
    ],
    ['less than nothing', { hard: { cpu: '-1' } }, ['spec.hard[cpu] Invalid']],
    ['half a pod', { hard: { pods: '1500m' } }, ['spec.hard[pods] Invalid']],
    ['a scope', { scopes: ['BestEffort'], hard: { pods: '1' } }, []],
    ['an odd scope', { scopes: ['Odd'] }, ['spec.scopes Invalid']],
    [
      'a scope of other resources',
      { scopes: ['BestEffort'], hard: { cpu: '1' } },
      ['spec.scopes Invalid'],
    ],
    ['opposite scopes', { scopes: ['Terminating', 'NotTerminating'] }, ['spec.scopes Invalid']],
    ['a class', selector({ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }), []],
    [
      'a class of no name',
      selector({ scopeName: 'PriorityClass', operator: 'In' }),
      [`${at}.values Required`],
    ],
    [
      'a class of any name, and one',
      selector({ scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] }),
      [`${at}.values Invalid`],
    ],
    [
      'an odd operator',
      selector({ scopeName: 'PriorityClass', operator: 'Is' }),
      [`${at}.operator Invalid`],
    ],
    [
      'values of a scope without',
      selector({ scopeName: 'BestEffort', operator: 'In', values: ['a'] }),
      [`${at}.operator Invalid`],
    ],
    [
      'an odd scope in a selector',
      selector({ scopeName: 'Odd', operator: 'Exists' }),
      [`${at}.scopeName Invalid`],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(resourceQuotaDefinition, quota(spec))).toEqual(errors);
  });

  it('keep their scopes', () => {
    const [none, some] = [quota({}), quota({ scopes: ['BestEffort'] })];
    expect(broken(resourceQuotaDefinition, some, some)).toEqual([]);
    expect(broken(resourceQuotaDefinition, none, some)).toEqual(['spec.scopes Invalid']);
    expect(broken(resourceQuotaDefinition, some, none)).toEqual(['spec.scopes Invalid']);
  });

  it('show what is used of what may be', () => {
    const status = {
      hard: { pods: '4', cpu: '2', 'limits.cpu': '8' },
      used: { pods: '1', 'limits.cpu': '3' },
    };
    expect(cells(resourceQuotaDefinition, { ...quota({}), status })).toEqual({
      Name: 'x',
      Request: 'cpu: 0/2, pods: 1/4',
      Limit: 'limits.cpu: 3/8',
      Age: '<unknown>',
    });
  });
});
