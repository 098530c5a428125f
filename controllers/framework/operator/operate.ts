// An operator's life, from finding its cluster to the last reconcile; without the process around it.
// Invariant: when it has settled, nothing that it started is still running, and its Lease is free.
import type { CustomResourceConversion } from '../../../api/generated/types.ts';
import type { Clock } from '../../../base/clock.ts';
import { Figures } from '../../../base/figures.ts';
import type { Listening } from '../../../base/listening.ts';
import type { Logger } from '../../../base/logger.ts';
import { nameSuffix, type Random } from '../../../base/random.ts';
import { ElectionFigures } from '../../../client/election/election-figures.ts';
import { InformerFigures } from '../../../client/informer/informer-figures.ts';
import type { Client } from '../../../client/rest/client.ts';
import { createClient } from '../../../client/rest/rest-client.ts';
import { ClientFigures } from '../../../client/transport/counted.ts';
import { QueueFigures } from '../../../client/workqueue/queue-figures.ts';
import { KindError } from '../kinds/kind-error.ts';
import { type Installable, installKinds } from '../kinds/install.ts';
import { type LeaderElection, runControllers } from '../manager.ts';
import { ReconcileFigures } from '../reconcile-figures.ts';
import { connectToCluster, type Surroundings } from './cluster-connection.ts';
import { serveHealth } from './health-server.ts';
import { OperatorFailure } from './operator-failure.ts';
import type { OperatorOptions, OperatorPart } from './options.ts';
import { checkReadable } from './readable-kinds.ts';

/** What an operator takes from the host. */
export interface OperatorDoors extends Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The host's name: with leader election, part of who it is. */
  readonly hostname: string;
}

/** Runs it until the signal aborts. Throws OperatorFailure for what its user can mend. */
export async function operate(
  options: OperatorOptions,
  doors: OperatorDoors,
  signal: AbortSignal,
): Promise<void> {
  const { name, health } = options;
  const { clock, logger } = doors;
  const figures = new Figures();
  const connected = await connectToCluster(doors, { userAgent: name, clock, signal }).catch(
    (error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    },
  );
  if (!connected) return;
  const { transport, server, namespace } = connected;
  const counted = new ClientFigures(figures).counted(transport, new URL(server).host, clock);
  const progress = new Progress(options);
  let served: Listening | undefined;
  try {
    const checks = () => progress.checks();
    served = health && (await serveHealth(health, { figures, logger, checks }));
    logger.info('the operator runs', { server, namespace, healthPort: served?.port });
    const client = createClient(counted, { fieldManager: name });
    await prepare({ options, doors, client }, signal);
    await runAll({ options, doors, client, namespace, figures, progress }, signal);
  } finally {
    await served?.close();
    transport.close();
  }
}

interface Operation {
  readonly options: OperatorOptions;
  readonly doors: OperatorDoors;
  readonly client: Client;
}

/** Installs the kinds and looks whether the controllers may read what they need. */
async function prepare({ options, doors, client }: Operation, signal: AbortSignal): Promise<void> {
  const { kinds = [], controllers, name, namespaces } = options;
  const { clock } = doors;
  try {
    if (kinds.length > 0)
      await installKinds(client, kinds, {
        clock,
        signal,
        fieldManager: name,
        conversion: (kind) => conversionOf(kind, options),
      });
    await checkReadable(controllers, { client, ...doors, namespaces, signal });
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof KindError ? new OperatorFailure(error.message, { cause: error }) : error;
  }
}

/** What the definition says of conversion, from the part that converts. */
function conversionOf(
  kind: Installable,
  options: OperatorOptions,
): CustomResourceConversion | undefined {
  for (const part of partsOf(options)) {
    const conversion = part.conversion?.(kind);
    if (conversion) return conversion;
  }
  return undefined;
}

interface Running extends Operation {
  readonly namespace: string;
  readonly figures: Figures;
  readonly progress: Progress;
}

/** Runs parts and controllers together; what one of them fails with ends all. */
async function runAll(running: Running, signal: AbortSignal): Promise<void> {
  const { options, doors, client, namespace, progress } = running;
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const parts = partsOf(options);
  const serving = new Map(parts.map((part) => [part, Promise.withResolvers<void>()]));
  const works = parts.map((part) => {
    const ready = () => {
      progress.done(part.name);
      serving.get(part)?.resolve();
    };
    return part.run({ client, ...doors, namespace, ready }, stop.signal);
  });
  const ended = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
    // Told to stop while it was prepared: no event comes any more.
    if (stop.signal.aborted) resolve();
  });
  const controllers = async () => {
    await Promise.race([Promise.all([...serving.values()].map(({ promise }) => promise)), ended]);
    if (!stop.signal.aborted) await control(running, stop.signal);
    // Without controllers that is over at once, and the parts work on.
    if (options.controllers.length === 0 && parts.length > 0) await ended;
  };
  const all = [...works, controllers()].map((work) =>
    work.finally(() => stop.abort(new Error('the operator ends'))),
  );
  const settled = await Promise.allSettled(all);
  signal.removeEventListener('abort', onAbort);
  for (const each of settled)
    if (each.status === 'rejected' && each.reason !== stop.signal.reason) throw each.reason;
}

function control(running: Running, signal: AbortSignal): Promise<void> {
  const { options, doors, client, figures, progress } = running;
  const { clock, random, logger } = doors;
  const caches = new InformerFigures(figures);
  return runControllers(
    options.controllers,
    {
      client,
      clock,
      random,
      logger,
      namespaces: options.namespaces,
      ...(options.transform && { transform: options.transform }),
      leaderElection: electionOf(running),
      hooks: {
        queues: new QueueFigures(figures),
        reconciles: new ReconcileFigures(figures),
        elections: new ElectionFigures(figures),
        informers: (informers) => caches.follow(options.name, informers),
        started: (name) => progress.done(name),
      },
    },
    signal,
  );
}

function electionOf({ options, doors, namespace }: Running): LeaderElection | undefined {
  const { leaderElection: asked, name } = options;
  if (asked === undefined || asked === false) return undefined;
  const identity = `${doors.hostname}_${nameSuffix(doors.random, 8)}`;
  return { namespace, name, identity, ...(asked === true ? {} : asked) };
}

const partsOf = ({ webhooks = [] }: OperatorOptions): readonly OperatorPart[] =>
  Array.isArray(webhooks) ? (webhooks as readonly OperatorPart[]) : [webhooks as OperatorPart];

/** What has begun to work. */
class Progress {
  readonly #checks = new Map<string, boolean>();
  readonly #started = new Set<string>();
  readonly #options: OperatorOptions;

  constructor(options: OperatorOptions) {
    this.#options = options;
    for (const { name } of partsOf(options)) this.#checks.set(name, false);
  }

  done(name: string): void {
    if (this.#checks.has(name)) this.#checks.set(name, true);
    else this.#started.add(name);
  }

  /** A copy that waits for the lead is ready as it is: it is there to wait. */
  *checks(): Generator<readonly [string, boolean]> {
    yield* this.#checks;
    const { controllers, leaderElection } = this.#options;
    const standingBy = Boolean(leaderElection) && this.#started.size === 0;
    yield ['informers', standingBy || this.#started.size >= controllers.length];
  }
}
