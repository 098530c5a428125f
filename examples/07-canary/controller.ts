// The controller: gathers what is known, has it judged by plan.ts, and writes what that says: the status, then the Deployments.
// Invariant: status and Deployments are written onto the state that was judged, or the server refuses and all is judged anew. So one
// that stood still for long cannot bring a version back that has failed meanwhile.
import { type Deployment, Deployments, isAlreadyExists, Services } from 'pinnace/client';
import {
  type BuilderContext,
  controllerFor,
  done,
  isControlledBy,
  requeueAfter,
  TerminalError,
  writeStatus,
} from 'pinnace/controllers';
import { Canaries, type Canary } from './kind.ts';
import { type MetricsSource, podCpu } from './metrics.ts';
import { isSampleDue, plan, type Wanted } from './plan.ts';
import { newsOf } from './report.ts';
import {
  deploymentOf,
  revisionOf,
  selectorOf,
  serviceOf,
  type TrackName,
  trackName,
  trackOf,
} from './tracks.ts';

type Context = BuilderContext<Canary>;

/** Brings new versions in step by step, judged by the figures of that source. */
export const canaryController = (metrics: MetricsSource = podCpu) =>
  controllerFor(Canaries)
    .named('canary')
    .concurrency(4)
    .owns(Deployments)
    .owns(Services)
    .reconcile(async (canary, context) => {
      const { clock, events } = context;
      await ensureService(canary, context);
      const [stable, trial] = (['stable', 'canary'] as const).map((track) =>
        deploymentNow(canary, track, context),
      );
      const nowMs = clock.now();
      const figure = isSampleDue({ canary, nowMs })
        ? await figureOf(canary, metrics, context)
        : undefined;
      const decided = plan({
        canary,
        stable: stable && trackOf(stable),
        trial: trial && trackOf(trial),
        figure,
        nowMs,
      });
      // A claim: refused with Conflict where the canary has changed since it was read.
      await writeStatus({ ...context, attempts: 1 }, canary, () => decided.status);
      const news = newsOf(canary.status, decided.status);
      if (news) events.event(canary, news);
      await bring(canary, { track: 'canary', from: trial, wanted: decided.trial }, context);
      await bring(canary, { track: 'stable', from: stable, wanted: decided.stable }, context);
      const { wakeAtMs } = decided;
      return wakeAtMs === undefined ? done : requeueAfter(Math.max(0, wakeAtMs - clock.now()));
    });

/** The Deployment of a track as the cache has it. Throws where it is somebody else's. */
function deploymentNow(canary: Canary, track: TrackName, { events, informers }: Context) {
  const name = trackName(canary, track);
  const found = informers.informer(Deployments).get(`${canary.metadata.namespace}/${name}`);
  if (found === undefined || isControlledBy(found, canary)) return found;
  const message = `Deployment ${name} is there already and belongs to somebody else; it has to go, or the canary needs another name`;
  events.event(canary, { type: 'Warning', reason: 'NameTaken', message });
  throw new TerminalError(message);
}

/** No figure where the source fails: a version is neither good nor bad for that, and users may go back all the same. */
async function figureOf(
  canary: Canary,
  metrics: MetricsSource,
  { client, logger, signal }: Context,
): Promise<number | undefined> {
  const { namespace = 'default' } = canary.metadata;
  const labelSelector = selectorOf(canary, canary.status?.canary?.revision ?? '');
  return metrics({ namespace, labelSelector, client, signal }).catch((err: unknown) => {
    logger.warn('there is no figure of the version on trial', { err });
    return undefined;
  });
}

async function ensureService(canary: Canary, { client, informers, key, signal }: Context) {
  if (informers.informer(Services).get(key)) return;
  await client
    .resource(Services)
    .create(serviceOf(canary), { signal })
    .catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
}

interface Change {
  readonly track: TrackName;
  readonly from: Deployment | undefined;
  readonly wanted: Wanted;
}

/** Makes the Deployment as it is wanted, or changes the one that was judged. */
async function bring(canary: Canary, { from, track, wanted }: Change, context: Context) {
  const { client, signal } = context;
  const { replicas, version } = wanted;
  const deployments = client.resource(Deployments);
  if (from === undefined) {
    if (version === undefined || replicas === 0) return;
    await deployments.create(deploymentOf(canary, track, { version, replicas }), { signal });
    return;
  }
  const isOfIt = version === undefined || version.revision === revisionOf(from);
  if (isOfIt && from.spec?.replicas === replicas) return;
  const next =
    version === undefined || isOfIt
      ? ({ ...from, spec: { ...from.spec, replicas } } as Deployment)
      : deploymentOf(canary, track, { version, replicas, from });
  await deployments.update(next, { signal });
}
