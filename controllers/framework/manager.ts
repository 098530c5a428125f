// Runs controllers together: one set of informers, one event recorder, one stop, and leadership where asked for.
// Invariant: when runControllers has settled, nothing that it started is still running; of a term whose lead is lost, or that has
// ended, no write of its controllers is sent any more.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { runElection } from '../../client/election/lease-election.ts';
import type { Term } from '../../client/election/term.ts';
import { ClientEventRecorder } from '../../client/events/recorder.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { observingClient } from '../../client/informer/observing-client.ts';
import type { InformerFactory } from '../../client/informer/informer.ts';
import type { InformerFactoryOptions } from '../../client/informer/options.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { makeControllers } from './checked-spec.ts';
import { FencedTransport } from './fenced-transport.ts';
import { informerView } from './informer-view.ts';
import { runController } from './loop.ts';
import type { ControllerHooks } from './loop.ts';
import type { ControllerFactory, EventRecorder } from './reconciler.ts';

/** Lead only while holding this Lease, so that several programs may run the same controllers. */
export interface LeaderElection {
  readonly namespace: string;
  /** The Lease's name. */
  readonly name: string;
  /** Who this program is; unlike any other's. */
  readonly identity: string;
}

/** What controllers are run with. */
export interface ControllersOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly leaderElection?: LeaderElection | undefined;
  readonly hooks?: ControllerHooks | undefined;
  /**
   * The controllers read objects of these namespaces alone, where they name none themselves; of all unless given. Kinds without
   * namespaces are read whole.
   */
  readonly namespaces?: readonly string[] | undefined;
  /** What the controllers' caches keep of an object; the whole unless given. */
  readonly transform?: InformerFactoryOptions['transform'];
}

/**
 * Runs the controllers until the signal aborts, then waits for their last reconciles.
 * Rejects when a factory throws, with a TypeError when what it made cannot be run, and when a controller ends by a fault of its
 * own; the others are stopped first.
 */
export async function runControllers(
  factories: readonly ControllerFactory[],
  options: ControllersOptions,
  signal: AbortSignal,
): Promise<void> {
  const { leaderElection: election } = options;
  if (!election) return runTogether(factories, options, signal);
  await runElection(
    { ...options, ...election, figures: options.hooks?.elections },
    (leading, term) => runTogether(factories, { ...options, term }, leading),
    signal,
  );
}

async function runTogether(
  factories: readonly ControllerFactory[],
  options: ControllersOptions & { readonly term?: Term },
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const informers = createInformerFactory(options);
  options.hooks?.informers?.(informers);
  // What a controller writes, its caches show before its next line.
  const client = observingClient(fenced(options), informers);
  const recorder = new ClientEventRecorder({ ...options, component: COMPONENT });
  const recording = new AbortController();
  const sent = recorder.run(recording.signal);
  try {
    const runs = runsOf(factories, { options, client, informers, recorder }, stop.signal);
    informers.start(stop.signal);
    await allOrStop(runs, stop);
  } finally {
    stop.abort(new Error('the controllers are stopped'));
    signal.removeEventListener('abort', onAbort);
    await informers.finished();
    recording.abort(new Error('the controllers are stopped'));
    await sent;
  }
}

/** The client that controllers write by: with an election, as long as the term lasts. */
function fenced({ client, term }: { readonly client: Client; readonly term?: Term }): Client {
  if (!term) return client;
  return createClient(new FencedTransport(client.transport, term), client.options);
}

interface Parts {
  readonly options: ControllersOptions;
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly recorder: ClientEventRecorder;
}

/** Makes the controllers; none runs before it is called. */
function runsOf(
  factories: readonly ControllerFactory[],
  { options, client, informers, recorder }: Parts,
  signal: AbortSignal,
): (() => Promise<void>)[] {
  const { clock, random, logger, hooks, namespaces } = options;
  // A controller's events carry a name, which is known once its factory has answered.
  const names: string[] = [];
  const contexts = factories.map((_, at) => {
    const events: EventRecorder = {
      event: (about, note) => recorder.for(names[at] ?? COMPONENT).event(about, note),
    };
    const view = informerView(informers, { namespaces });
    return { client, clock, random, logger, informers: view, events, hooks };
  });
  const made = makeControllers(factories, contexts);
  names.push(...made.map(({ spec }) => spec.eventSource ?? spec.name));
  return made.map(
    ({ spec, context }) =>
      () =>
        runController(spec, context, signal),
  );
}

/** Who tells of events before its name is known. */
const COMPONENT = 'controller-manager';

/** Runs all; the first that rejects stops the others, and its error is thrown once all have ended. */
async function allOrStop(
  runs: readonly (() => Promise<void>)[],
  stop: AbortController,
): Promise<void> {
  const settled = await Promise.allSettled(
    runs.map(async (run) => {
      try {
        await run();
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    }),
  );
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
}
