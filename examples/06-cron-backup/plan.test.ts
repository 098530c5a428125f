// What the operator decides, case by case, without a cluster.
import { describe, expect, it } from 'vitest';
import { type BackupSchedule, BackupSchedules } from './kind.ts';
import { plan } from './plan.ts';
import type { Run } from './runs.ts';
import { MAX_TIMES, scheduleFault, timesBetween } from './schedule.ts';

const MINUTE = 60_000;
const T0 = Date.UTC(2026, 0, 1, 0, 0);

type Spec = Partial<BackupSchedule['spec']>;

function aSchedule(spec: Spec = {}, status?: BackupSchedule['status']): BackupSchedule {
  const object = BackupSchedules.object({
    metadata: { name: 'db', namespace: 'default' },
    spec: { schedule: '*/10 * * * *', container: { image: 'dump:1' }, ...spec },
  });
  const metadata = { ...object.metadata, creationTimestamp: new Date(T0).toISOString() };
  return { ...object, metadata, ...(status && { status }) };
}

const run = (minute: number, phase: Run['phase'], ending = false): Run => {
  const timeMs = T0 + minute * MINUTE;
  return { name: `db-${timeMs / MINUTE}`, timeMs, phase, ending };
};
const at = (minute: number) => T0 + minute * MINUTE;
const text = (minute: number) => new Date(at(minute)).toISOString().replace('.000Z', 'Z');

describe('plan', () => {
  it('begins the run that is due, claims it, and wakes for the next', () => {
    const decided = plan({ schedule: aSchedule(), runs: [], nowMs: at(10) });
    expect(decided).toMatchObject({ begin: at(10), wakeAtMs: at(20), missed: [] });
    expect(decided.status).toMatchObject({
      lastScheduleTime: text(10),
      nextScheduleTime: text(20),
      active: [run(10, 'running').name],
      missed: 0,
    });
  });

  it('begins nothing twice, and nothing before its time', () => {
    const schedule = aSchedule({}, { lastScheduleTime: text(10) });
    expect(plan({ schedule, runs: [run(10, 'good')], nowMs: at(19.9) }).begin).toBeUndefined();
  });

  it('under Forbid lets a run wait for the one before it, and tells it as missed once it is too late', () => {
    const schedule = aSchedule({}, { lastScheduleTime: text(10) });
    const runs = [run(10, 'running')];
    const waiting = plan({ schedule, runs, nowMs: at(20) });
    expect(waiting).toMatchObject({ begin: undefined, end: [], missed: [] });
    expect(waiting.wakeAtMs).toBe(at(25) + 1);
    const late = plan({ schedule, runs, nowMs: at(25) + 1 });
    expect(late.missed).toEqual([at(20)]);
    expect(late.status).toMatchObject({ lastScheduleTime: text(20), missed: 1 });
  });

  it('under Replace ends what runs, and begins once it is gone', () => {
    const spec = { concurrencyPolicy: 'Replace' } as const;
    const schedule = aSchedule(spec, { lastScheduleTime: text(10) });
    const first = plan({ schedule, runs: [run(10, 'running')], nowMs: at(20) });
    expect([first.begin, first.end]).toEqual([undefined, [run(10, 'running').name]]);
    const ending = plan({ schedule, runs: [run(10, 'running', true)], nowMs: at(20) });
    expect([ending.begin, ending.end]).toEqual([undefined, []]);
    expect(plan({ schedule, runs: [], nowMs: at(20) }).begin).toBe(at(20));
  });

  it('under Allow begins beside what runs', () => {
    const schedule = aSchedule({ concurrencyPolicy: 'Allow' }, { lastScheduleTime: text(10) });
    const decided = plan({ schedule, runs: [run(10, 'running')], nowMs: at(20) });
    expect(decided.begin).toBe(at(20));
    expect(decided.status.active).toHaveLength(2);
  });

  it('after a long absence tells what went by and begins the newest alone', () => {
    const decided = plan({ schedule: aSchedule(), runs: [], nowMs: at(43) });
    expect([decided.missed, decided.begin]).toEqual([[at(10), at(20), at(30)], at(40)]);
  });

  it('makes good a run that was claimed and never made, while it is not too late', () => {
    const claimed = { lastScheduleTime: text(10), active: [run(10, 'running').name] };
    const schedule = aSchedule({}, claimed);
    expect(plan({ schedule, runs: [], nowMs: at(11) }).begin).toBe(at(10));
    const late = plan({ schedule, runs: [], nowMs: at(16) });
    expect([late.begin, late.status.active]).toEqual([undefined, undefined]);
  });

  it('begins nothing while it is suspended, and calls nothing missed for that', () => {
    const decided = plan({ schedule: aSchedule({ suspend: true }), runs: [], nowMs: at(31) });
    expect(decided).toMatchObject({ begin: undefined, missed: [], wakeAtMs: at(40) });
    expect(decided.status.lastScheduleTime).toBe(text(30));
  });

  it('keeps the newest good backups by number and by age, the newest always, and few failed ones', () => {
    const retention = { keep: 3, keepFailed: 1, maxAgeSeconds: 1500 };
    const schedule = aSchedule({ retention }, { lastScheduleTime: text(60) });
    const runs = [
      run(10, 'good'),
      run(20, 'good'),
      run(30, 'good'),
      run(40, 'good'),
      run(50, 'failed'),
      run(60, 'failed'),
    ];
    const decided = plan({ schedule, runs, nowMs: at(60) });
    const names = (...minutes: number[]) => minutes.map((each) => run(each, 'good').name);
    expect([...decided.prune].sort()).toEqual(names(10, 20, 30, 50));
    const old = plan({ schedule, runs, nowMs: at(6000) });
    expect(old.prune).not.toContain(run(40, 'good').name);
  });
});

describe('schedules', () => {
  it.each([
    ['61 * * * *', 'Etc/UTC', 'no cron line'],
    ['0 0 L * *', 'Etc/UTC', 'signs beyond'],
    ['0 0 * * *', 'Mars/Olympus', 'no time zone'],
  ])('%s in %s is told to be wrong', (schedule, zone, why) => {
    expect(scheduleFault(schedule, zone)).toContain(why);
  });

  it('take few steps however long nobody looked', () => {
    const each = { schedule: '* * * * *', timeZone: 'Etc/UTC' };
    const times = timesBetween(each, T0, T0 + 5 * 365 * 86_400_000);
    expect(times).toHaveLength(MAX_TIMES);
    expect([times[0], times.at(-1)]).toEqual([T0 + MINUTE, T0 + 5 * 365 * 86_400_000]);
  });

  it('run once where the clocks repeat an hour, and when they are put on where it is skipped', () => {
    const berlin = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' };
    const times = (from: string, to: string) =>
      timesBetween(berlin, Date.parse(from), Date.parse(to)).map((ms) =>
        new Date(ms).toISOString(),
      );
    expect(times('2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z')).toHaveLength(1);
    expect(times('2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toEqual([
      '2026-03-29T01:00:00.000Z',
    ]);
  });
});
