// The scheduler, in the control plane or as a process of its own.
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import type { Figures } from '../../base/figures.ts';
import type { Logger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { ClientEventRecorder } from '../../client/events/recorder.ts';
import type { InformerFigures } from '../../client/informer/informer-figures.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { runScheduler } from '../../scheduler/scheduler.ts';
import { runChild } from './child-process.ts';
import { dataPaths } from './data-directory.ts';
import { SCHEDULER_AGENT } from './user-agents.ts';

/** What a scheduler tells of itself. */
interface SchedulerOutlets {
  readonly logger: Logger;
  readonly figures?: Figures | undefined;
  readonly caches?: InformerFigures | undefined;
}

/** Runs the scheduler on a client until aborted. */
export async function runSchedulerWith(
  client: Client,
  { logger, figures, caches }: SchedulerOutlets,
  signal: AbortSignal,
): Promise<void> {
  const doors = { client, clock: systemClock, random: systemRandom, logger };
  const informers = createInformerFactory(doors);
  caches?.follow('scheduler', informers);
  const events = new ClientEventRecorder({ ...doors, component: 'default-scheduler' });
  await runScheduler({ ...doors, informers, events, options: {}, figures }, signal);
}

/** The body of `pinnace scheduler`. */
export async function runComponent(dataDir: string): Promise<void> {
  await runChild('scheduler', async ({ logger, signal }) => {
    const kubeconfig = join(dataPaths(dataDir).pki, 'scheduler.kubeconfig');
    const config = await loadKubeconfig(kubeconfig);
    const transport = createHttpTransport({ ...config.transport, userAgent: SCHEDULER_AGENT });
    await runSchedulerWith(createClient(transport), { logger }, signal);
    transport.close();
  });
}
