// Autoscalers compared over a curve of traffic: each variant plays the same hours in a cluster of its own, on virtual time.
// Invariant: one seed, one curve and the same variants give the same report, to the byte.
import type {
  HorizontalPodAutoscalerSpecV2,
  HorizontalPodAutoscalerV2,
} from '../../api/generated/types.ts';
import type { FakeNodeOptions } from '../nodes/options.ts';
import { type CurveSource, curveOf } from './curve.ts';
import { HEARTBEAT_MS, playVariant, type VariantRun } from './run-variant.ts';
import { resolveService, type Service, type ServiceOptions } from './service.ts';
import { rounded, summarize, type TrafficSummary } from './summary.ts';
import type { Scaling, TrafficMinute } from './traffic-day.ts';
import { TrafficError } from './traffic-error.ts';

/** An autoscaler's spec; its target is the service unless it names it. */
export type VariantSpec = Omit<HorizontalPodAutoscalerSpecV2, 'scaleTargetRef'> &
  Partial<Pick<HorizontalPodAutoscalerSpecV2, 'scaleTargetRef'>>;

/** What is simulated. */
export interface TrafficOptions {
  readonly curve: CurveSource;
  readonly service: ServiceOptions;
  /** Autoscalers by name: whole objects, or their specs. */
  readonly variants: Readonly<Record<string, HorizontalPodAutoscalerV2 | VariantSpec>>;
  /** What ids, names and jitter come from; 1 unless given. */
  readonly seed?: number;
  /**
   * How autoscalers are run: as upstream's controller runs them (each 15 s; pods count after five minutes), or as this one acts on
   * samples (docs/decisions/0001-hpa-acts-on-samples.md). `upstream` unless given.
   */
  readonly pace?: 'upstream' | 'pinnace';
  /** How often nodes tell what pods use; 15 unless given. A day costs less with coarser figures, and autoscalers see less. */
  readonly figuresSeconds?: number;
  /** Time with the curve's first rate before it begins, which is not recorded; 15 unless given. */
  readonly warmUpMinutes?: number;
  /** Nodes; as many as the pods need, and large enough, unless given. */
  readonly nodes?: readonly FakeNodeOptions[];
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** What came of one variant. */
export interface VariantReport {
  readonly name: string;
  readonly summary: TrafficSummary;
  readonly minutes: readonly TrafficMinute[];
  readonly scalings: readonly Scaling[];
  /** What kept the autoscaler from acting at the end, as it says itself. */
  readonly complaint?: string;
}

/** What came of all. */
export interface TrafficReport {
  readonly service: string;
  readonly seconds: number;
  readonly seed: number;
  readonly variants: readonly VariantReport[];
}

/** Most variants at once. */
export const MAX_VARIANTS = 10;
/** Most replicas that an autoscaler may have. */
export const MAX_REPLICAS = 1000;
/** Pods on one node of those that are made for a simulation; more are there for those that come and go. */
const PODS_PER_NODE = 180;

/** Older figures say nothing any more to the API server (STALE_MS in apiserver/metrics/metrics-store.ts). */
const MAX_FIGURES_SECONDS = 30;

/** Plays all variants, one after the other. Throws TrafficError for what cannot be simulated or is refused by the server. */
export async function simulateTraffic(options: TrafficOptions): Promise<TrafficReport> {
  const { seed = 1, pace = 'upstream', figuresSeconds = 15, warmUpMinutes = 15, signal } = options;
  bounded('figuresSeconds', figuresSeconds, { least: 1, most: MAX_FIGURES_SECONDS });
  bounded('warmUpMinutes', warmUpMinutes, { least: 1, most: 240 });
  const curve = curveOf(options.curve);
  const given = variantsOf(options.variants);
  const service = resolveService(options.service, given[0]?.target ?? 'service');
  const variants: VariantReport[] = [];
  for (const variant of given) {
    const { name } = variant;
    const autoscaler = autoscalerFor(variant, service);
    const run: VariantRun = {
      name,
      curve,
      service,
      autoscaler,
      pace,
      seed,
      signal,
      warmUpSeconds: Math.round(warmUpMinutes * 60),
      nodes: nodesFor(options, autoscaler, figuresSeconds),
    };
    const { day, complaint } = await playVariant(run);
    variants.push({
      name,
      summary: summarize(day.minutes, day.scalings, curve.seconds),
      minutes: day.minutes.map(roundedRow),
      scalings: day.scalings,
      ...(complaint !== undefined && { complaint }),
    });
  }
  return { service: service.name, seconds: curve.seconds, seed, variants };
}

interface GivenVariant {
  readonly name: string;
  readonly spec: VariantSpec;
  /** The name of the Deployment that it says it scales. */
  readonly target: string | undefined;
}

function variantsOf(variants: TrafficOptions['variants']): GivenVariant[] {
  const given = Object.entries(variants).map(([name, value]): GivenVariant => {
    const spec = 'spec' in value ? value.spec : (value as VariantSpec);
    return { name, spec, target: spec.scaleTargetRef?.name };
  });
  if (given.length === 0)
    throw new TrafficError('there is no variant: give one autoscaler at least');
  if (given.length > MAX_VARIANTS)
    throw new TrafficError(
      `${given.length} variants are too many: ${MAX_VARIANTS} at once at most`,
    );
  return given;
}

function autoscalerFor({ name, spec }: GivenVariant, service: Service): HorizontalPodAutoscalerV2 {
  const which = `the autoscaler of variant ${JSON.stringify(name)}`;
  const own = { apiVersion: 'apps/v1', kind: 'Deployment', name: service.name };
  const { scaleTargetRef = own } = spec;
  const { kind, name: target } = scaleTargetRef;
  if (kind !== 'Deployment' || target !== service.name)
    throw new TrafficError(
      `${which} scales ${kind} ${target}, and what is simulated is Deployment ${service.name}: let its scaleTargetRef name that`,
    );
  const foreign = (spec.metrics ?? []).find(
    ({ type }) => type !== 'Resource' && type !== 'ContainerResource',
  );
  if (foreign)
    throw new TrafficError(
      `${which} has a metric of type ${foreign.type}, which no simulated node tells: use type Resource (cpu)`,
    );
  if (spec.maxReplicas > MAX_REPLICAS)
    throw new TrafficError(
      `${which} has maxReplicas ${spec.maxReplicas}: ${MAX_REPLICAS} at most are simulated`,
    );
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: service.name, namespace: 'default' },
    spec: { ...spec, scaleTargetRef },
  };
}

function nodesFor(
  { nodes }: TrafficOptions,
  { spec }: HorizontalPodAutoscalerV2,
  figuresSeconds: number,
): readonly FakeNodeOptions[] {
  const pace = { figuresPeriodMs: figuresSeconds * 1000, heartbeatMs: HEARTBEAT_MS };
  if (nodes) return nodes.map((node) => ({ ...pace, ...node }));
  const count = Math.max(1, Math.ceil(spec.maxReplicas / PODS_PER_NODE));
  const capacity = { cpu: '100000', memory: '1000Ti', storage: '1000Ti', pods: 250 };
  return Array.from({ length: count }, () => ({ capacity, ...pace }));
}

function bounded(field: string, value: number, { least, most }: { least: number; most: number }) {
  if (value >= least && value <= most) return;
  throw new TrafficError(`${field} is from ${least} to ${most}, not ${value}`);
}

/** Figures as they are shown: sums of floating point have digits that mean nothing. */
function roundedRow(row: TrafficMinute): TrafficMinute {
  const figures = Object.entries(row).map(([name, figure]) => [name, rounded(figure, 2)]);
  return Object.fromEntries(figures) as TrafficMinute;
}
