// The scheduler, in the control plane or as a process of its own.
import { systemClock } from '../../base/clock.ts';
import type { Figures } from '../../base/figures.ts';
import type { Logger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { ClientEventRecorder } from '../../client/events/recorder.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Client } from '../../client/rest/client.ts';
import { runScheduler } from '../../scheduler/scheduler.ts';
import { runChild } from './child-process.ts';
import type { ComponentFlags, Follow } from './component.ts';
import { SCHEDULER_AGENT } from './user-agents.ts';

/** What a scheduler tells of itself. */
interface SchedulerOutlets {
  readonly logger: Logger;
  readonly figures: Figures;
  readonly follow: Follow;
}

/** Runs the scheduler on a client until aborted. */
export async function runSchedulerWith(
  client: Client,
  { logger, figures, follow }: SchedulerOutlets,
  signal: AbortSignal,
): Promise<void> {
  const doors = { client, clock: systemClock, random: systemRandom, logger };
  const informers = createInformerFactory(doors);
  follow(informers);
  const events = new ClientEventRecorder({ ...doors, component: 'default-scheduler' });
  await runScheduler({ ...doors, informers, events, options: {}, figures }, signal);
}

/** The body of `pinnace scheduler`. */
export async function runComponent(dataDir: string, flags: ComponentFlags): Promise<void> {
  // Not where it runs in the control plane, which has a port of its own.
  const { runServed } = await import('./component.ts');
  await runChild('scheduler', async (context) => {
    const { logger, signal } = context;
    const start = { name: 'scheduler', userAgent: SCHEDULER_AGENT, dataDir, flags } as const;
    await runServed(start, context, ({ client, figures, follow }) =>
      runSchedulerWith(client, { logger, figures, follow }, signal),
    );
  });
}
