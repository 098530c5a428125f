// Runs of a schedule: each is a pod whose name follows from the schedule and the time, so that none is ever begun twice.
// Invariant: pure; what a pod says of a run is said here and nowhere else.
import type { Pod } from 'pinnace/client';
import { ownerReferenceFor } from 'pinnace/controllers';
import { type BackupSchedule, BackupSchedules } from './kind.ts';

/** The label of all runs of a schedule. */
export const SCHEDULE_LABEL = 'ops.example.com/backup-schedule';
/** The time that a run is of. */
export const TIME_ANNOTATION = 'ops.example.com/scheduled-at';
const MINUTE_MS = 60_000;

/** One backup, going on or over. */
export interface Run {
  readonly name: string;
  /** The due time that it is of. */
  readonly timeMs: number;
  readonly phase: 'running' | 'good' | 'failed';
  /** Is it being deleted? */
  readonly ending: boolean;
}

/** The name of the run of that time. */
export function runName(schedule: BackupSchedule, timeMs: number): string {
  return `${schedule.metadata.name}-${timeMs / MINUTE_MS}`;
}

/** The time that a run's name tells. */
export function timeOfRun(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1)) * MINUTE_MS;
}

/** The run that a pod is. */
export function runOf({ metadata, status }: Pod): Run {
  const name = metadata.name ?? '';
  const ends = { Succeeded: 'good', Failed: 'failed' } as const;
  return {
    name,
    timeMs: timeOfRun(name),
    phase: ends[status?.phase as keyof typeof ends] ?? 'running',
    ending: metadata.deletionTimestamp !== undefined,
  };
}

/** The pod of a run. */
export function podOf(schedule: BackupSchedule, timeMs: number): Pod {
  const { name = '', namespace } = schedule.metadata;
  const { memory, ...container } = schedule.spec.container;
  const at = new Date(timeMs).toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: runName(schedule, timeMs),
      ...(namespace !== undefined && { namespace }),
      labels: { [SCHEDULE_LABEL]: name },
      annotations: { [TIME_ANNOTATION]: at },
      ownerReferences: [ownerReferenceFor(schedule, BackupSchedules)],
    },
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          ...container,
          name: 'backup',
          env: [...(container.env ?? []), { name: 'SCHEDULED_AT', value: at }],
          ...(memory !== undefined && { resources: { requests: { memory: String(memory) } } }),
        },
      ],
    },
  } as Pod;
}
