// The programs that a cluster has of itself, and the user's: how each is run from what a program is given.
// Invariant: a program is synced only when each of its caches is.
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { ClientEventRecorder } from '../../client/events/recorder.ts';
import type { InformerFactory } from '../../client/informer/informer.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { type LeaderElection, runControllers } from '../../controllers/framework/manager.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { runScheduler } from '../../scheduler/scheduler.ts';
import { endingWork } from './endless-work.ts';
import type { ProgramParts } from './program.ts';

/** What programs take from their cluster besides. */
export interface Doors {
  readonly random: Random;
  readonly logger: Logger;
  readonly leaderElection?: LeaderElection | undefined;
  /** Those that its controllers read; all unless given. */
  readonly namespaces?: readonly string[] | undefined;
}

/** A program of controllers. Rejects, too, when one of them keeps itself busy while time stands still (endless-work.ts). */
export function controllersProgram(factories: readonly ControllerFactory[], doors: Doors) {
  return ({ signal, onSynced, ...parts }: ProgramParts): Promise<void> => {
    let waiting = factories.length;
    const oneSynced = () => {
      if (--waiting === 0) onSynced();
    };
    if (waiting === 0) onSynced();
    const endless = Promise.withResolvers<never>();
    const told = factories.map((factory): ControllerFactory => {
      // Refused by runControllers, in its own words.
      if (typeof factory !== 'function') return factory;
      const make = endingWork(factory, endless.reject);
      return (context) => {
        const spec = make(context);
        // The caches of the spec's sources are asked for in this same turn, after the factory has answered.
        void followed(context.informers, signal).then(oneSynced, () => undefined);
        return spec;
      };
    });
    return Promise.race([runControllers(told, { ...parts, ...doors }, signal), endless.promise]);
  };
}

async function followed(informers: InformerFactory, signal: AbortSignal): Promise<void> {
  await Promise.resolve();
  await informers.synced(signal);
}

/** The scheduler. Fake nodes have storage for any claim that is there. */
export function schedulerProgram(doors: Doors) {
  return ({ signal, onSynced, ...parts }: ProgramParts): Promise<void> => {
    const all = { ...parts, ...doors };
    const informers = createInformerFactory(all);
    const events = new ClientEventRecorder({ ...all, component: 'default-scheduler' });
    const running = runScheduler({ ...all, informers, events, options: { claims: 'any' } }, signal);
    void informers.synced(signal).then(onSynced, () => undefined);
    return running;
  };
}
