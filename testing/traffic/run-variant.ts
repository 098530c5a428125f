// One variant: a cluster on virtual time with the real autoscaler, workload controllers, scheduler and node agents, for as long as the curve.
// Invariant: what happens depends on the curve, the service, the autoscaler and the seed only.
import type { Deployment, HorizontalPodAutoscalerV2 } from '../../api/generated/types.ts';
import { Deployments, HorizontalPodAutoscalers, Pods } from '../../api/kinds.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { isNotFound, StatusError } from '../../api/status.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { horizontalPodAutoscaler } from '../../controllers/hpa/controller.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import type { AutoscalerOptions } from '../../controllers/hpa/options.ts';
import { nodeLifecycleController } from '../../controllers/nodelifecycle/controller.ts';
import { startCluster, type TestCluster } from '../cluster/start-cluster.ts';
import type { FakeNodeOptions } from '../nodes/options.ts';
import type { Curve } from './curve.ts';
import type { Service } from './service.ts';
import { ServicePods } from './service-pods.ts';
import { TrafficDay } from './traffic-day.ts';
import { TrafficError } from './traffic-error.ts';

/** What a run is made from. */
export interface VariantRun {
  readonly name: string;
  readonly curve: Curve;
  readonly service: Service;
  readonly autoscaler: HorizontalPodAutoscalerV2;
  readonly pace: 'upstream' | 'pinnace';
  readonly nodes: readonly FakeNodeOptions[];
  readonly seed: number;
  readonly warmUpSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came of it. */
export interface PlayedVariant {
  readonly day: TrafficDay;
  /** What the autoscaler said at the end that kept it from acting. */
  readonly complaint: string | undefined;
}

/** What the service needs of a cluster; the autoscaler runs beside them, at the pace that was asked for. */
const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'service-account-controller',
];

/** Upstream's clock: each 15 s, whatever is measured in between; and what its flags say unless set. */
const UPSTREAM: Partial<AutoscalerOptions> = {
  cpuInitializationMs: 300_000,
  initialReadinessDelayMs: 30_000,
  minIntervalMs: 15_000,
  resyncMs: 15_000,
  foreignIntervalMs: 15_000,
};
/** Nobody reads what is measured from the status: it is written when sizes or conditions change. */
const QUIET: Partial<AutoscalerOptions> = {
  utilizationStatusMs: 3_600_000,
  amountStatusMs: 3_600_000,
};
/** Nodes that nothing befalls are asked seldom whether they are well: it would be half of what a day costs. */
export const HEARTBEAT_MS = 300_000;
/** How far time is moved at once; a signal is looked at in between. */
const STRIDE_MS = 600_000;

/** Plays a variant. Throws TrafficError where the server refuses it, the signal's reason where it aborts. */
export async function playVariant(run: VariantRun): Promise<PlayedVariant> {
  const { curve, service, seed, warmUpSeconds, nodes, signal } = run;
  const clock = new VirtualClock();
  const beginsAtMs = clock.monotonic() + warmUpSeconds * 1000;
  const secondNow = () => Math.floor((clock.monotonic() - beginsAtMs) / 1000);
  const day = new TrafficDay(curve, service, warmUpSeconds);
  const pods = new ServicePods(service, day, secondNow);
  const cluster = await startCluster({
    clock,
    seed,
    nodes,
    controllers: CONTROLLERS,
    lives: ({ pod, name }) => pods.lifeOf(pod, name),
  });
  const ending = new AbortController();
  try {
    const observed = observe(cluster, { run, pods, day, secondNow, signal: ending.signal });
    await applied(cluster, run);
    cluster.run(controllersOf(run), { name: 'autoscaling' });
    const endMs = beginsAtMs + curve.seconds * 1000;
    while (clock.monotonic() < endMs) {
      signal?.throwIfAborted();
      await cluster.advance(Math.min(STRIDE_MS, endMs - clock.monotonic()));
    }
    day.playTo(curve.seconds);
    const complaint = await complaintOf(cluster, run);
    ending.abort(new Error('the variant is played'));
    await observed;
    return { day, complaint };
  } finally {
    ending.abort(new Error('the variant is over'));
    await cluster.close();
  }
}

function controllersOf({ pace }: VariantRun): ControllerFactory[] {
  return [
    horizontalPodAutoscaler({ ...(pace === 'upstream' && UPSTREAM), ...QUIET }),
    nodeLifecycleController({ graceMs: 4 * HEARTBEAT_MS }),
  ];
}

/** Follows the service's pods and its size; resolves when the signal has aborted. */
async function observe(
  cluster: TestCluster,
  parts: {
    readonly run: VariantRun;
    readonly pods: ServicePods;
    readonly day: TrafficDay;
    readonly signal: AbortSignal;
    readonly secondNow: () => number;
  },
): Promise<void> {
  const { run, pods, day, secondNow, signal } = parts;
  const { client, clock, random } = cluster;
  const informers = createInformerFactory({ client, clock, random, logger: silentLogger });
  const { matchLabels, name } = run.service;
  const labelSelector = Object.entries(matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  informers.informer(Pods, { namespace: 'default', labelSelector }).subscribe(pods);
  const wanted = ({ spec }: Deployment) => {
    day.playTo(secondNow());
    day.setWanted(spec?.replicas ?? 0);
  };
  informers
    .informer(Deployments, { namespace: 'default', fieldSelector: `metadata.name=${name}` })
    .subscribe({ onAdd: wanted, onUpdate: wanted });
  informers.start(signal);
  await informers.finished();
}

async function applied(cluster: TestCluster, { name, service, autoscaler }: VariantRun) {
  try {
    await cluster.apply(service.deployment);
  } catch (error) {
    throw refused(`the Deployment ${service.name}`, error);
  }
  try {
    await cluster.apply(autoscaler);
  } catch (error) {
    throw refused(`the autoscaler of variant ${JSON.stringify(name)}`, error);
  }
}

function refused(what: string, error: unknown): unknown {
  if (!(error instanceof StatusError)) return error;
  return new TrafficError(`${what} is refused: ${error.message}`, { cause: error });
}

async function complaintOf(
  { client }: TestCluster,
  { autoscaler }: VariantRun,
): Promise<string | undefined> {
  const { namespace = 'default', name = '' } = autoscaler.metadata;
  const resource = client.resource(HorizontalPodAutoscalers);
  try {
    const { status } = await resource.get({ namespace, name });
    const active = findCondition(status?.conditions, 'ScalingActive');
    return active?.status === 'False' ? active.message : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
