// Jobs: defaults, selectors, rules with their fields and types, what may change, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { Job, JobStatus } from '../generated/types.ts';
import { jobDefinition } from './job.ts';

const UID = '0f1e';
const template = (spec: object = {}, labels?: object) => ({
  ...(labels ? { metadata: { labels } } : {}),
  spec: { restartPolicy: 'Never', containers: [{ name: 'work', image: 'work:1' }], ...spec },
});
/** As it is before the server gives it its selector. */
const written = (spec: object = {}, name = 'work'): Job =>
  made(jobDefinition, { metadata: { name, uid: UID }, spec: { template: template(), ...spec } });
const job = (spec: object = {}, name?: string): Job => {
  const one = written(spec, name);
  jobDefinition.prepareForCreate?.(one);
  return one;
};
const indexed = { completionMode: 'Indexed', completions: 10, parallelism: 2 };
const own = {
  'batch.kubernetes.io/controller-uid': UID,
  'batch.kubernetes.io/job-name': 'work',
  'controller-uid': UID,
  'job-name': 'work',
};

describe('defaults of a Job', () => {
  it.each<[string, object, object]>([
    ['one pod', {}, { completions: 1, parallelism: 1 }],
    ['as many as run at once', { parallelism: 3 }, { parallelism: 3 }],
    ['so many, one by one', { completions: 3 }, { parallelism: 1, completions: 3 }],
    [
      'what is documented',
      {},
      {
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        suspend: false,
        podReplacementPolicy: 'TerminatingOrFailed',
      },
    ],
    ['no limit beside one per index', { backoffLimitPerIndex: 1 }, { backoffLimit: 2 ** 31 - 1 }],
    [
      'a condition that is true',
      { podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'A' }] }] } },
      {
        podReplacementPolicy: 'Failed',
        podFailurePolicy: { rules: [{ onPodConditions: [{ type: 'A', status: 'True' }] }] },
      },
    ],
  ])('are %s', (_, spec, filled) => {
    expect(written(spec).spec).toMatchObject(filled);
  });

  it('leave open how many succeed where many run at once', () => {
    expect(written({ parallelism: 3 }).spec).not.toHaveProperty('completions');
  });

  it("are its pods' labels, where it has none", () => {
    expect(written({ template: template({}, { app: 'a' }) }).metadata.labels).toEqual({ app: 'a' });
  });
});

describe('the selector of a Job', () => {
  it('is its uid, which its pods carry', () => {
    const { spec, status } = job({ template: template({}, { app: 'a' }) });
    expect(spec?.selector).toEqual({
      matchLabels: { 'batch.kubernetes.io/controller-uid': UID },
    });
    expect(spec?.template.metadata?.labels).toEqual({ app: 'a', ...own });
    expect(status).toEqual({});
  });

  it("is the writer's, if he asks for that", () => {
    const selector = { matchLabels: { app: 'a' } };
    const manual = { manualSelector: true, selector, template: template({}, { app: 'a' }) };
    expect(job(manual).spec?.selector).toEqual(selector);
    expect(broken(jobDefinition, job(manual))).toEqual([]);
    expect(broken(jobDefinition, job({ ...manual, selector: undefined }))).toEqual([
      'spec.selector Required',
      'spec.template.metadata.labels Invalid',
    ]);
  });

  it('is refused where it is another one', () => {
    const labels = { 'job-name': 'other' };
    expect(broken(jobDefinition, job({ template: template({}, labels) }))).toEqual([
      'spec.template.metadata.labels[job-name] Invalid',
    ]);
    const selector = { matchLabels: { app: 'a' } };
    expect(broken(jobDefinition, job({ selector, template: template({}, { app: 'a' }) }))).toEqual([
      'spec.selector Invalid',
    ]);
  });
});

const failure = (rule: object) => ({ podFailurePolicy: { rules: [rule] } });
const exits = (more: object) =>
  failure({ action: 'Count', onExitCodes: { operator: 'In', values: [1], ...more } });
const success = (rule: object) => ({ ...indexed, successPolicy: { rules: [rule] } });
const RULE = 'spec.podFailurePolicy.rules[0]';
const WON = 'spec.successPolicy.rules[0]';

describe('rules of a Job', () => {
  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['indexes', { ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 10 }, []],
    [
      'counts below zero',
      { parallelism: -1, completions: -1 },
      ['spec.parallelism Invalid', 'spec.completions Invalid'],
    ],
    [
      'a deadline below zero',
      { activeDeadlineSeconds: -1 },
      ['spec.activeDeadlineSeconds Invalid'],
    ],
    ['a backoff below zero', { backoffLimit: -1 }, ['spec.backoffLimit Invalid']],
    [
      'a life below zero',
      { ttlSecondsAfterFinished: -1 },
      ['spec.ttlSecondsAfterFinished Invalid'],
    ],
    ['an odd mode', { completionMode: 'Odd' }, ['spec.completionMode NotSupported']],
    [
      'indexes without end',
      { completionMode: 'Indexed', parallelism: 1 },
      ['spec.completions Required'],
    ],
    [
      'limits per index without indexes',
      { backoffLimitPerIndex: 1 },
      ['spec.backoffLimitPerIndex Invalid'],
    ],
    [
      'failed indexes without a limit',
      { ...indexed, maxFailedIndexes: 1 },
      ['spec.backoffLimitPerIndex Required'],
    ],
    [
      'more failed indexes than indexes',
      { ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 11 },
      ['spec.maxFailedIndexes Invalid'],
    ],
    ['too many at once', { ...indexed, parallelism: 100_001 }, ['spec.parallelism Invalid']],
    [
      'very many indexes',
      {
        completionMode: 'Indexed',
        completions: 100_001,
        parallelism: 10_001,
        backoffLimitPerIndex: 1,
      },
      ['spec.maxFailedIndexes Required', 'spec.parallelism Invalid'],
    ],
    ['a manager of no domain', { managedBy: 'me' }, ['spec.managedBy Invalid']],
    [
      'a manager of a long name',
      { managedBy: `a.io/${'x'.repeat(60)}` },
      ['spec.managedBy TooLong'],
    ],
    [
      'an odd replacement',
      { podReplacementPolicy: 'Odd' },
      ['spec.podReplacementPolicy NotSupported'],
    ],
    [
      'pods that restart for ever',
      { template: template({ restartPolicy: undefined }) },
      ['spec.template.spec.restartPolicy Required'],
    ],
    [
      'no containers',
      { template: template({ containers: [] }) },
      ['spec.template.spec.containers Required'],
    ],
    ['exit codes', exits({}), []],
    ['no exit codes', exits({ values: [] }), [`${RULE}.onExitCodes.values Invalid`]],
    ['exit codes out of order', exits({ values: [2, 1] }), [`${RULE}.onExitCodes.values Invalid`]],
    [
      'the same exit code twice',
      exits({ values: [1, 1] }),
      [`${RULE}.onExitCodes.values[1] Duplicate`],
    ],
    ['success as a failure', exits({ values: [0] }), [`${RULE}.onExitCodes.values[0] Invalid`]],
    ['an odd operator', exits({ operator: 'Has' }), [`${RULE}.onExitCodes.operator NotSupported`]],
    [
      'a container that is none',
      exits({ containerName: 'x' }),
      [`${RULE}.onExitCodes.containerName Invalid`],
    ],
    [
      'too many exit codes',
      exits({ values: Array.from({ length: 256 }, (_, i) => i + 1) }),
      [`${RULE}.onExitCodes.values TooMany`],
    ],
    ['a rule of nothing', failure({ action: 'Ignore' }), [`${RULE} Invalid`]],
    [
      'a rule of both',
      failure({
        action: 'Ignore',
        onExitCodes: { operator: 'In', values: [1] },
        onPodConditions: [{ type: 'A' }],
      }),
      [`${RULE} Invalid`],
    ],
    [
      'an odd action',
      failure({ action: 'Odd', onPodConditions: [{ type: 'A' }] }),
      [`${RULE}.action NotSupported`],
    ],
    ['no action', failure({ onPodConditions: [{ type: 'A' }] }), [`${RULE}.action Required`]],
    [
      'an index to fail where there is none',
      failure({ action: 'FailIndex', onPodConditions: [{ type: 'A' }] }),
      [`${RULE}.action Invalid`],
    ],
    [
      'an odd status of a condition',
      failure({ action: 'Count', onPodConditions: [{ type: 'A', status: 'Odd' }] }),
      [`${RULE}.onPodConditions[0].status NotSupported`],
    ],
    [
      'too many rules',
      {
        podFailurePolicy: {
          rules: Array.from({ length: 21 }, () => ({
            action: 'Count',
            onPodConditions: [{ type: 'A' }],
          })),
        },
      },
      ['spec.podFailurePolicy.rules TooMany'],
    ],
    [
      'a policy for pods that restart',
      { ...exits({}), template: template({ restartPolicy: 'OnFailure' }) },
      ['spec.template.spec.restartPolicy Invalid'],
    ],
    ['enough successes', success({ succeededIndexes: '0,2-4', succeededCount: 4 }), []],
    ['success without indexes', { successPolicy: { rules: [] } }, ['spec.successPolicy Invalid']],
    [
      'no way to succeed',
      { ...indexed, successPolicy: { rules: [] } },
      ['spec.successPolicy.rules Required'],
    ],
    ['a success of nothing', success({}), [`${WON} Required`]],
    [
      'more successes than pods',
      success({ succeededCount: 11 }),
      [`${WON}.succeededCount Invalid`],
    ],
    [
      'more successes than named',
      success({ succeededIndexes: '1', succeededCount: 2 }),
      [`${WON}.succeededCount Invalid`],
    ],
    [
      'indexes beyond the last',
      success({ succeededIndexes: '9-10' }),
      [`${WON}.succeededIndexes Invalid`],
    ],
    [
      'indexes that fall',
      success({ succeededIndexes: '3,1' }),
      [`${WON}.succeededIndexes Invalid`],
    ],
    [
      'indexes that are none',
      success({ succeededIndexes: 'a' }),
      [`${WON}.succeededIndexes Invalid`],
    ],
    [
      'indexes of three ends',
      success({ succeededIndexes: '1-2-3' }),
      [`${WON}.succeededIndexes Invalid`],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(jobDefinition, job(spec))).toEqual(errors);
  });

  it('keep host names of indexed pods within their limit', () => {
    const name = 'x'.repeat(62);
    expect(broken(jobDefinition, job({ ...indexed, completions: 11 }, name))).toEqual([
      'metadata.name Invalid',
    ]);
  });

  it('warn of names that are no labels', () => {
    expect(jobDefinition.warnings?.(job({}, 'a.b'))).toEqual([
      expect.stringContaining('metadata.name: this is used in Pod names and hostnames'),
    ]);
    expect(jobDefinition.warnings?.(job())).toEqual([]);
  });
});

describe('changes of a Job', () => {
  const placed = { template: template({ nodeSelector: { disk: 'ssd' } }) };
  it.each<[string, object, object, string[]]>([
    ['how many run', {}, { completions: 1, parallelism: 4 }, []],
    ['whether it runs', {}, { suspend: true }, []],
    ['how many are to succeed', {}, { completions: 4 }, ['spec.completions Invalid']],
    ['indexes and pods at once', indexed, { ...indexed, completions: 4, parallelism: 4 }, []],
    ['indexes alone', indexed, { ...indexed, completions: 4 }, ['spec.completions Invalid']],
    ['its template', {}, { template: template({ nodeName: 'n' }) }, ['spec.template Invalid']],
    ['places while it runs', {}, placed, ['spec.template Invalid']],
    ['places while it waits', { suspend: true }, { ...placed, suspend: true }, []],
    [
      'its mode',
      { completions: 2 },
      { completions: 2, completionMode: 'Indexed' },
      ['spec.completionMode Invalid'],
    ],
    ['its manager', {}, { managedBy: 'a.io/b' }, ['spec.managedBy Invalid']],
  ])('of %s', (...[, before, after, errors]) => {
    expect(broken(jobDefinition, job(after), job(before))).toEqual(errors);
  });
});

describe('the status of a Job', () => {
  const [start, end] = ['2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'];
  const is = (...types: string[]) => ({
    conditions: types.map((type) => ({ type, status: 'True' })),
  });
  const done = { ...is('SuccessCriteriaMet', 'Complete'), startTime: start, completionTime: end };
  const check = (status: JobStatus, old: JobStatus = {}, spec: object = {}) =>
    (
      jobDefinition.validateStatus?.({ ...job(spec), status }, { ...job(spec), status: old }) ?? []
    ).map(({ field, message }) => `${field}: ${message}`);

  it.each<[string, JobStatus]>([
    ['of a new one', {}],
    ['of one that runs', { active: 2, ready: 1, startTime: start }],
    ['of one that is done', { ...done, succeeded: 1 }],
    ['of one that failed', { ...is('FailureTarget', 'Failed'), startTime: start }],
  ])('passes %s', (_, status) => {
    expect(check(status)).toEqual([]);
  });

  it.each<[string, JobStatus, JobStatus, string]>([
    ['fewer than no pods', { active: -1 }, {}, 'status.active: Invalid value: -1'],
    [
      'more ready than active',
      { active: 1, ready: 2 },
      {},
      'status.ready: Invalid value: 2: cannot set more ready pods than active',
    ],
    [
      'both ends',
      { ...done, ...is('Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet') },
      {},
      'status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions',
    ],
    [
      'an end without a criterion',
      { ...done, ...is('Complete') },
      {},
      'cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
    ],
    [
      'a failure without a target',
      { ...is('Failed'), startTime: start },
      {},
      'cannot set Failed=True condition without the FailureTarget=true condition',
    ],
    [
      'an end without a time',
      { ...done, completionTime: undefined },
      {},
      'status.completionTime: Required value: completionTime is required for Complete jobs',
    ],
    [
      'a time without an end',
      { startTime: start, completionTime: end },
      {},
      'cannot set completionTime when there is no Complete=True condition',
    ],
    [
      'an end before the start',
      { ...done, startTime: end, completionTime: start },
      {},
      'completionTime cannot be set before startTime',
    ],
    [
      'an end without a start',
      { ...done, startTime: undefined },
      {},
      'status.startTime: Required value: startTime is required for finished job',
    ],
    ['pods after the end', { ...done, active: 1 }, {}, 'active>0 is invalid for finished job'],
    [
      'pods that go after the end',
      { ...done, terminating: 1 },
      {},
      'terminating>0 is invalid for finished job',
    ],
    [
      'pods not counted after the end',
      { ...done, uncountedTerminatedPods: { failed: ['a'] } },
      {},
      'uncountedTerminatedPods needs to be empty for finished job',
    ],
    [
      'the same pod twice',
      { uncountedTerminatedPods: { failed: ['a'], succeeded: ['a'] } },
      {},
      'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
    ],
    [
      'indexes of a job without',
      { completedIndexes: '0' },
      {},
      'cannot set non-empty completedIndexes when non-indexed completion mode',
    ],
    [
      'failed indexes of a job without',
      { failedIndexes: '0' },
      {},
      'cannot set non-null failedIndexes when backoffLimitPerIndex is null',
    ],
    [
      'an end undone',
      { startTime: start },
      done,
      'cannot disable the terminal Complete=True condition',
    ],
    [
      'fewer failures than before',
      { failed: 1 },
      { failed: 2 },
      'cannot decrease the failed counter',
    ],
    [
      'another end',
      { ...done, completionTime: '2026-01-01T00:02:00Z' },
      done,
      'completionTime cannot be mutated',
    ],
    [
      'another start',
      { startTime: end },
      { startTime: start },
      'startTime cannot be removed for unsuspended job',
    ],
  ])('refuses %s', (...[, status, old, text]) => {
    expect(check(status, old).join('\n')).toContain(text);
  });

  it('refuses an index that both failed and succeeded', () => {
    const spec = { ...indexed, backoffLimitPerIndex: 1 };
    expect(check({ completedIndexes: '0,3-5', failedIndexes: '1,4' }, {}, spec)).toEqual([
      'status.failedIndexes: Invalid value: "1,4": failedIndexes and completedIndexes overlap at index: 4',
    ]);
    expect(check({ completedIndexes: '0,3-5', failedIndexes: '1,6-9' }, {}, spec)).toEqual([]);
    expect(check({ completedIndexes: '11' }, {}, spec)).toEqual([
      'status.completedIndexes: Invalid value: "11": error parsing completedIndexes: too large index: "11"',
    ]);
  });

  it.each<[JobStatus, object, string, string]>([
    [{}, {}, 'Running', '0/1'],
    [{ succeeded: 2 }, { completions: 3 }, 'Running', '2/3'],
    [{ succeeded: 1 }, { parallelism: 3 }, 'Running', '1/1 of 3'],
    [done, {}, 'Complete', '0/1'],
    [is('Failed', 'FailureTarget'), {}, 'Failed', '0/1'],
    [is('FailureTarget'), {}, 'FailureTarget', '0/1'],
    [is('Suspended'), {}, 'Suspended', '0/1'],
  ])('shows as %j', (...[status, spec, word, completions]) => {
    expect(cells(jobDefinition, { ...job(spec), status })).toMatchObject({
      Status: word,
      Completions: completions,
      Duration: status === done ? '60s' : '',
      Containers: 'work',
      Selector: `batch.kubernetes.io/controller-uid=${UID}`,
    });
  });
});
