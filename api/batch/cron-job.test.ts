// CronJobs: defaults, rules with their fields and types, names, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { CronJob } from '../generated/types.ts';
import { cronJobDefinition } from './cron-job.ts';

const template = (spec: object = {}) => ({
  spec: { restartPolicy: 'Never', containers: [{ name: 'work', image: 'work:1' }], ...spec },
});

describe('CronJobs', () => {
  const cron = (spec: object = {}, name = 'tick'): CronJob =>
    made(cronJobDefinition, {
      metadata: { name },
      spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: template() } }, ...spec },
    });

  it('are filled in as documented', () => {
    expect(cron().spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: { template: { spec: { dnsPolicy: 'ClusterFirst' } } } },
    });
    expect(cron().spec?.jobTemplate.spec?.backoffLimit).toBeUndefined();
  });

  const at = 'spec.jobTemplate.spec';
  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['no schedule', { schedule: '' }, ['spec.schedule Required']],
    ['a zone', { timeZone: 'Europe/Berlin' }, []],
    ['a zone that is none', { timeZone: 'Mars/Base' }, ['spec.timeZone Invalid']],
    ['a zone that leads up', { timeZone: '../etc' }, ['spec.timeZone Invalid']],
    ['an empty zone', { timeZone: '' }, ['spec.timeZone Invalid']],
    ['the local zone', { timeZone: 'Local' }, ['spec.timeZone Invalid']],
    ['a zone in the schedule', { schedule: 'TZ=UTC 0 * * * *' }, ['spec.schedule Invalid']],
    ['an odd policy', { concurrencyPolicy: 'Odd' }, ['spec.concurrencyPolicy NotSupported']],
    [
      'limits below zero',
      { successfulJobsHistoryLimit: -1, failedJobsHistoryLimit: -1 },
      ['spec.successfulJobsHistoryLimit Invalid', 'spec.failedJobsHistoryLimit Invalid'],
    ],
    [
      'a deadline below zero',
      { startingDeadlineSeconds: -1 },
      ['spec.startingDeadlineSeconds Invalid'],
    ],
    [
      'a selector',
      { jobTemplate: { spec: { template: template(), selector: {}, manualSelector: true } } },
      [`${at}.selector Invalid`, `${at}.manualSelector NotSupported`],
    ],
    [
      'pods that restart for ever',
      { jobTemplate: { spec: { template: template({ restartPolicy: 'Always' }) } } },
      [`${at}.template.spec.restartPolicy Required`],
    ],
  ])('with %s', (_, spec, errors) => {
    expect(broken(cronJobDefinition, cron(spec))).toEqual(errors);
  });

  it.each(['0 0 1 1 0', '0-59/2 1,2 ? jan-DEC mon-fri', '5/10 * * * *', '@hourly', '@every 1h30m'])(
    'take the schedule %s',
    (schedule) => {
      expect(broken(cronJobDefinition, cron({ schedule }))).toEqual([]);
    },
  );

  it.each([
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['@never', 'unrecognized descriptor: @never'],
    ['@every day', 'failed to parse duration @every day: time: invalid duration "day"'],
  ])('refuse the schedule %s', (schedule, why) => {
    const errors = cronJobDefinition.validate?.(cron({ schedule }), undefined);
    expect(errors).toEqual([
      {
        type: 'FieldValueInvalid',
        field: 'spec.schedule',
        message: `Invalid value: ${JSON.stringify(schedule)}: ${why}`,
      },
    ]);
  });

  it('have names that leave room for their jobs', () => {
    const long = cron({}, 'x'.repeat(53));
    expect(broken(cronJobDefinition, long)).toEqual(['metadata.name Invalid']);
    expect(broken(cronJobDefinition, long, long)).toEqual([]);
  });

  it('show when they make jobs', () => {
    const one: CronJob = {
      ...cron({ timeZone: 'Asia/Tokyo' }),
      status: { active: [{ name: 'a' }], lastScheduleTime: '1969-12-31T23:59:00Z' },
    };
    expect(cells(cronJobDefinition, one)).toEqual({
      Name: 'tick',
      Schedule: '*/5 * * * *',
      Timezone: 'Asia/Tokyo',
      Suspend: 'False',
      Active: 1,
      'Last Schedule': '60s',
      Age: '<unknown>',
      Containers: 'work',
      Images: 'work:1',
      Selector: '<none>',
    });
    expect(cells(cronJobDefinition, cron())).toMatchObject({
      Timezone: '<none>',
      'Last Schedule': '<none>',
    });
  });
});
