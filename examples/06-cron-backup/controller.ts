// The controller: gathers what is known, has it judged by plan.ts, and does what that says, in an order that a crash may cut anywhere.
// Invariant: a run is claimed in the status, against the newest state of the schedule, before its pod is made: two leaders cannot both begin one.
import { isAlreadyExists, isNotFound, type Pod, Pods } from 'pinnace/client';
import {
  type BuilderContext,
  controlledBy,
  controllerFor,
  done,
  indexByController,
  isControlledBy,
  requeueAfter,
  type Result,
  withCondition,
  writeStatus,
} from 'pinnace/controllers';
import { type BackupSchedule, BackupSchedules } from './kind.ts';
import { type Plan, plan } from './plan.ts';
import { podOf, type Run, runName, runOf, SCHEDULE_LABEL } from './runs.ts';
import { scheduleFault } from './schedule.ts';

type Context = BuilderContext<BackupSchedule>;

/** Ends runs that go on before their schedule goes. */
export const FINALIZER = 'ops.example.com/end-backups';
/** Runs that end are looked for again after so long, though their deletion wakes the schedule as well. */
const ENDING_MS = 5_000;

/** Runs backups when they are due, and keeps as many as are asked for. */
export const cronBackup = controllerFor(BackupSchedules)
  .named('cron-backup')
  .concurrency(4)
  .owns(Pods)
  .withFinalizer(FINALIZER, endRuns)
  .reconcile(async (schedule, context) => {
    const { schedule: line, timeZone } = schedule.spec;
    const fault = scheduleFault(line, timeZone);
    if (fault !== undefined) return invalid(schedule, context, fault);
    const nowMs = context.clock.now();
    const runs = await knownRuns(schedule, context);
    const decided = plan({ schedule, runs, nowMs });
    await carryOut(schedule, decided, context);
    return decided.wakeAtMs === undefined
      ? done
      : requeueAfter(Math.max(0, decided.wakeAtMs - nowMs));
  });

/** The cache's pods, and those that the status says were begun and the cache does not show: of these the server is asked. */
async function knownRuns(schedule: BackupSchedule, context: Context): Promise<Run[]> {
  const { client, informers, signal } = context;
  const informer = informers.informer(Pods);
  indexByController(informer);
  const cached = controlledBy(informer, schedule);
  const shown = new Set(cached.map(({ metadata }) => metadata.name));
  const unseen = (schedule.status?.active ?? []).filter((name) => !shown.has(name));
  const { namespace } = schedule.metadata;
  const asked = await Promise.all(
    unseen.map((name) =>
      client
        .resource(Pods)
        .get({ namespace, name }, { signal })
        .catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        }),
    ),
  );
  const found = asked.filter(
    (pod): pod is Pod => pod !== undefined && isControlledBy(pod, schedule),
  );
  return [...cached, ...found].map(runOf);
}

async function carryOut(schedule: BackupSchedule, decided: Plan, context: Context): Promise<void> {
  const { client, events, signal } = context;
  const { namespace } = schedule.metadata;
  const { begin, end, missed, prune, status } = decided;
  // A claim: refused with Conflict where the schedule has changed since it was read, and then all is judged anew.
  await writeStatus({ ...context, attempts: 1 }, schedule, () => status);
  if (missed.length > 0) {
    const last = new Date(missed.at(-1) ?? 0).toISOString();
    const message = `${missed.length} runs could not start in time, the last one that of ${last}`;
    events.event(schedule, { type: 'Warning', reason: 'MissedRun', message });
  }
  if (begin !== undefined) {
    await client
      .resource(Pods)
      .create(podOf(schedule, begin), { signal })
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    const message = `Began ${runName(schedule, begin)}`;
    events.event(schedule, { type: 'Normal', reason: 'Began', message });
  }
  await remove(context, namespace, [...end, ...prune]);
}

async function remove(
  { client, signal }: Context,
  namespace: string | undefined,
  names: readonly string[],
): Promise<void> {
  for (const name of names)
    await client
      .resource(Pods)
      .delete({ namespace, name }, { signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
}

/** Tells what is wrong with the schedule; nothing runs until it changes. */
async function invalid(
  schedule: BackupSchedule,
  context: Context,
  message: string,
): Promise<Result> {
  const { clock } = context;
  const condition = { type: 'Valid', status: 'False', reason: 'InvalidSchedule', message } as const;
  await writeStatus(context, schedule, ({ status }) => {
    const now = new Date(clock.now()).toISOString().replace('.000Z', 'Z');
    return { ...status, conditions: withCondition(status?.conditions, condition, now) };
  });
  return done;
}

/** Before a schedule goes: what runs is ended and waited for. Asks the server, since what a cache does not show would be left alone. */
async function endRuns(schedule: BackupSchedule, context: Context): Promise<Result> {
  const { client, signal } = context;
  const { name = '', namespace } = schedule.metadata;
  const labelSelector = `${SCHEDULE_LABEL}=${name}`;
  const { items } = await client.resource(Pods).list({ namespace, labelSelector, signal });
  const running = items
    .filter((pod) => isControlledBy(pod, schedule))
    .map(runOf)
    .filter(({ phase }) => phase === 'running');
  await remove(
    context,
    namespace,
    running.filter(({ ending }) => !ending).map((run) => run.name),
  );
  return running.length > 0 ? requeueAfter(ENDING_MS) : done;
}
