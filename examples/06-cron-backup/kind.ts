// BackupSchedule: a kind from one schema. Backups that run at times of a cron line, and how many of them are kept.
// Invariant: everything that a server can refuse by looking at one object is refused by the schema or its rules.
import { conditions, defineKind, type ObjectOf, quantity, timestamp } from 'pinnace/controllers';
import { z } from 'zod';

const env = z.object({ name: z.string().min(1), value: z.string().default('') });

const spec = z.object({
  schedule: z
    .string()
    .min(9)
    .max(100)
    .describe('When: minute, hour, day of the month, month, day of the week, as in crontab(5).'),
  timeZone: z
    .string()
    .max(64)
    .default('Etc/UTC')
    .describe(
      'Whose hours the schedule speaks of. An hour that the clocks skip runs when they are put on; one that they repeat runs once.',
    ),
  concurrencyPolicy: z
    .enum(['Allow', 'Forbid', 'Replace'])
    .default('Forbid')
    .describe(
      'When a run is due while another goes on: both, the new one later, or the new one instead.',
    ),
  startingDeadlineSeconds: z
    .int32()
    .min(10)
    .default(300)
    .describe('A run that could not start so long after its time is missed.'),
  suspend: z.boolean().default(false).describe('Start nothing for now.'),
  retention: z
    .object({
      keep: z.int32().min(1).max(100).default(7).describe('Good backups that are kept.'),
      maxAgeSeconds: z
        .int()
        .min(60)
        .optional()
        .describe('Good backups older than this go too, but for the newest.'),
      keepFailed: z.int32().min(0).max(100).default(1).describe('Failed ones that are kept.'),
    })
    .default({ keep: 7, keepFailed: 1 }),
  container: z.object({
    image: z.string().min(1),
    command: z.array(z.string()).optional(),
    args: z.array(z.string()).optional(),
    env: z.array(env).optional(),
    memory: quantity().optional(),
  }),
});

const status = z.object({
  lastScheduleTime: timestamp()
    .optional()
    .describe('The newest time that is done with: begun, missed, or passed over.'),
  lastSuccessfulTime: timestamp().optional().describe('The time of the newest good backup.'),
  nextScheduleTime: timestamp().optional(),
  active: z
    .array(z.string())
    .optional()
    .describe('Runs that were begun and are not known to be over.'),
  backups: z.int32().optional().describe('Good backups that are there.'),
  missed: z.int32().optional().describe('Runs that could not start in time.'),
  conditions: conditions().optional(),
});

/** Schedules of backups. */
export const BackupSchedules = defineKind({
  group: 'ops.example.com',
  version: 'v1',
  kind: 'BackupSchedule',
  shortNames: ['bks'],
  description: 'Backups at times of a cron line, of which some are kept.',
  spec,
  status,
  rules: {
    spec: [
      {
        rule: 'self.schedule.split(" ").filter(part, part != "").size() == 5',
        message: 'schedule has five fields: minute, hour, day of the month, month, day of the week',
      },
    ],
  },
  columns: {
    Schedule: '.spec.schedule',
    Suspend: '.spec.suspend',
    Last: { type: 'date', jsonPath: '.status.lastScheduleTime' },
    Good: { type: 'date', jsonPath: '.status.lastSuccessfulTime' },
    Backups: '.status.backups',
    Age: { type: 'date', jsonPath: '.metadata.creationTimestamp' },
  },
});

/** A schedule as it is stored. */
export type BackupSchedule = ObjectOf<typeof BackupSchedules>;
