// One look at an autoscaler: reads its target's scale, decides, writes the size and tells why.
// Invariant: what is remembered of an autoscaler goes with it; a size that could not be written is not remembered as done.
import type { Clock } from '../../base/clock.ts';
import type {
  CustomResourceDefinition,
  HorizontalPodAutoscalerV2,
  MetricSpecV2,
  Pod,
  Scale,
} from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import {
  CustomResourceDefinitions,
  HorizontalPodAutoscalers,
  PodMetricsKind,
  Pods,
} from '../../api/kinds.ts';
import type { PodMetrics } from '../../api/kinds.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import type { Selector } from '../../api/meta/labels.ts';
import { parseLabelSelector } from '../../api/meta/labels.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { Client, ResourceClient } from '../../client/rest/client.ts';
import type {
  ControllerContext,
  EventRecorder,
  ReconcileContext,
  Result,
} from '../framework/reconciler.ts';
import { done, requeueAfter } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';
import type { Reason } from './behavior.ts';
import type { DecidedCondition, Decision, Obstacle } from './decide.ts';
import { decide } from './decide.ts';
import type { History } from './history.ts';
import { withScaleEvent } from './history.ts';
import type { AutoscalerOptions } from './options.ts';
import type { Outcome } from './status.ts';
import { autoscalerStatus, isWorthWriting } from './status.ts';
import { type ForeignReading, readForeign } from './foreign-metrics.ts';
import { describedKind, readScale, scalableKind, writeScale } from './targets.ts';

/** No event tells that a target is there at last; it is looked for this often. */
const NO_TARGET_RETRY_MS = 2_000;

/** What is remembered of an autoscaler between looks. */
interface Memory {
  readonly uid: string;
  history: History | undefined;
  selector: Selector | undefined;
  lookedAtMs: number;
  writtenAtMs: number;
  /** What was read last of custom and external metrics, for which list of metrics. */
  foreign: Foreign | undefined;
}

interface Foreign {
  readonly atMs: number;
  readonly generation: number | undefined;
  readonly byPlace: readonly (ForeignReading | undefined)[];
}

/** A target that can be acted on. */
interface Target {
  readonly ref: KindRef<Scale>;
  readonly scale: Scale;
  /** Undefined where the scale tells of none that can be read. */
  readonly selector: Selector | undefined;
}

/** Why there is no target to act on. */
class NoTarget extends Error {
  override readonly name = 'NoTarget';
  readonly condition: DecidedCondition;

  constructor(condition: DecidedCondition) {
    super(condition.message);
    this.condition = condition;
  }
}

/** Reconciles HorizontalPodAutoscalers. */
export class AutoscalerReconciler {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #events: EventRecorder;
  readonly #options: AutoscalerOptions;
  readonly #autoscalers: Informer<HorizontalPodAutoscalerV2>;
  readonly #pods: Informer<Pod>;
  readonly #metrics: Informer<PodMetrics>;
  readonly #definitions: Informer<CustomResourceDefinition>;
  readonly #resource: ResourceClient<HorizontalPodAutoscalerV2>;
  readonly #memories = new Map<string, Memory>();

  constructor(context: ControllerContext, options: AutoscalerOptions) {
    this.#client = context.client;
    this.#clock = context.clock;
    this.#events = context.events;
    this.#options = options;
    this.#autoscalers = context.informers.informer(HorizontalPodAutoscalers);
    this.#pods = context.informers.informer(Pods);
    this.#metrics = context.informers.informer(PodMetricsKind);
    this.#definitions = context.informers.informer(CustomResourceDefinitions);
    this.#resource = context.client.resource(HorizontalPodAutoscalers);
  }

  /** The autoscalers that a pod's new figures concern; those still without a target might by now have one. */
  keysFor({ metadata }: PodMetrics): readonly string[] {
    const labels = metadata.labels ?? this.#pods.get(keyOf({ metadata }))?.metadata.labels;
    return this.#autoscalers
      .list(metadata.namespace ?? '')
      .map(keyOf)
      .filter((key) => this.#memories.get(key)?.selector?.matches(labels) ?? true);
  }

  /** Looks at one autoscaler, unless it did a moment ago. */
  async reconcile(key: string, context: ReconcileContext): Promise<Result> {
    const autoscaler = this.#autoscalers.get(key);
    if (!autoscaler) {
      this.#memories.delete(key);
      return done;
    }
    const memory = this.#memoryOf(key, autoscaler);
    const now = this.#clock.monotonic();
    const early = memory.lookedAtMs + this.#options.minIntervalMs - now;
    if (early > 0) return requeueAfter(early);
    memory.lookedAtMs = now;
    try {
      await this.#act(autoscaler, memory, context);
    } catch (error) {
      if (!(error instanceof NoTarget)) throw error;
      await this.#tellNoTarget(autoscaler, memory, error.condition);
      return requeueAfter(Math.min(NO_TARGET_RETRY_MS, this.#options.resyncMs));
    }
    return requeueAfter(this.#options.resyncMs);
  }

  #memoryOf(key: string, { metadata }: HorizontalPodAutoscalerV2): Memory {
    const known = this.#memories.get(key);
    if (known && known.uid === metadata.uid) return known;
    const fresh: Memory = {
      uid: metadata.uid ?? '',
      history: undefined,
      selector: undefined,
      lookedAtMs: -Infinity,
      writtenAtMs: -Infinity,
      foreign: undefined,
    };
    this.#memories.set(key, fresh);
    return fresh;
  }

  async #act(
    autoscaler: HorizontalPodAutoscalerV2,
    memory: Memory,
    { logger, signal }: ReconcileContext,
  ): Promise<void> {
    const target = await this.#targetOf(autoscaler, memory);
    const foreign = await this.#foreign(autoscaler, { memory, target, signal });
    const current = target.scale.spec?.replicas ?? 0;
    const measurements = this.#measurements(autoscaler, target.selector);
    const obstacle = this.#obstacle(autoscaler, target, measurements.pods);
    const decision = decide({
      spec: autoscaler.spec,
      current,
      ...measurements,
      foreign,
      obstacle,
      history: memory.history,
      options: this.#options,
      nowMs: this.#clock.now(),
      monotonicMs: this.#clock.monotonic(),
    });
    memory.history = decision.history;
    const rescaled = await this.#rescale(autoscaler, { target, decision, memory });
    this.#tellFailures(autoscaler, decision);
    const conditions = [
      condition('True', {
        reason: 'SucceededGetScale',
        message: "the HPA controller was able to get the target's current scale",
      }),
      ...decision.conditions,
      ...(rescaled ? [rescaled] : []),
    ];
    const { desired, metrics } = decision;
    logger.debug('decided', { current, desired, why: decision.conditions.map((c) => c.message) });
    await this.#writeStatus(autoscaler, memory, {
      current,
      desired,
      rescaled: rescaled !== undefined,
      conditions: lastOfEach(conditions),
      metrics,
      nowMs: this.#clock.now(),
    });
  }

  /** Custom and external metrics; those of a moment ago serve while samples come every second. */
  async #foreign(
    { metadata: { namespace = '', generation }, spec: { metrics = [] } }: HorizontalPodAutoscalerV2,
    at: { readonly memory: Memory; readonly target: Target; readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<MetricSpecV2, ForeignReading>> {
    const { memory, target, signal } = at;
    const atMs = this.#clock.monotonic();
    const { foreign: before } = memory;
    const until = (before?.atMs ?? -Infinity) + this.#options.foreignIntervalMs;
    if (!target.selector) return new Map();
    if (before?.generation !== generation || until <= atMs) {
      const byPlace = await readForeign(metrics, {
        client: this.#client,
        clock: this.#clock,
        namespace,
        selector: target.selector.text,
        resourceOf: (reference) => describedKind(reference, this.#definitions.list()),
        signal,
      });
      memory.foreign = { atMs, generation, byPlace };
    }
    const read = memory.foreign?.byPlace ?? [];
    return new Map(
      metrics.flatMap((metric, i) => {
        const reading = read[i];
        return reading ? [[metric, reading] as const] : [];
      }),
    );
  }

  #measurements(autoscaler: HorizontalPodAutoscalerV2, selector: Selector | undefined) {
    const pods = this.#pods
      .list(autoscaler.metadata.namespace ?? '')
      .filter((pod) => selector?.matches(pod.metadata.labels));
    const samples = new Map<string, PodMetrics>();
    for (const pod of pods) {
      const sample = this.#metrics.get(keyOf(pod));
      if (sample) samples.set(keyOf(pod), sample);
    }
    return { pods, samples };
  }

  /** Without a selector there are no pods to judge; two that scale the same pods would undo each other's work for ever. */
  #obstacle(
    { metadata }: HorizontalPodAutoscalerV2,
    { selector, scale }: Target,
    pods: readonly Pod[],
  ): Obstacle | undefined {
    if (!selector) return noSelector(scale);
    const scalers = this.#autoscalers
      .list(metadata.namespace ?? '')
      .map(keyOf)
      .filter((key) => {
        const other = this.#memories.get(key)?.selector;
        return other !== undefined && pods.some((pod) => other.matches(pod.metadata.labels));
      })
      .toSorted();
    if (scalers.length < 2) return undefined;
    const message = `pods by selector ${selector.text} are controlled by multiple HPAs: [${scalers.join(' ')}]`;
    const why = { reason: 'AmbiguousSelector', message };
    return { condition: why, event: why };
  }

  async #targetOf(autoscaler: HorizontalPodAutoscalerV2, memory: Memory): Promise<Target> {
    const { namespace = '' } = autoscaler.metadata;
    const reference = autoscaler.spec.scaleTargetRef;
    const ref = scalableKind(reference, this.#definitions.list());
    const unreadable = (why: string) =>
      new NoTarget(
        condition('False', {
          reason: 'FailedGetScale',
          message: `the HPA controller was unable to get the target's current scale: ${why}`,
        }),
      );
    if (!ref)
      throw unreadable(
        `no matches for kind ${JSON.stringify(reference.kind)} in version ${JSON.stringify(reference.apiVersion ?? '')} that can be scaled`,
      );
    let scale: Scale;
    try {
      scale = await readScale(this.#client, namespace, { ref, name: reference.name });
    } catch (error) {
      throw unreadable(messageOf(error));
    }
    memory.selector = readableSelector(scale, memory.selector);
    return { ref, scale, selector: memory.selector };
  }

  /** Answers the condition that tells of a change of size; undefined where there was none to make. */
  async #rescale(
    autoscaler: HorizontalPodAutoscalerV2,
    at: { readonly target: Target; readonly decision: Decision; readonly memory: Memory },
  ): Promise<DecidedCondition | undefined> {
    const { target, decision, memory } = at;
    const { desired, rescaleReason } = decision;
    if (rescaleReason === undefined) return undefined;
    const from = target.scale.spec?.replicas ?? 0;
    try {
      await writeScale(this.#client, target.ref, { scale: target.scale, replicas: desired });
    } catch (error) {
      const why = messageOf(error);
      this.#tell(autoscaler, 'Warning', {
        reason: 'FailedRescale',
        message: `New size: ${desired}; reason: ${rescaleReason}; error: ${why}`,
      });
      throw new NoTarget(
        condition('False', {
          reason: 'FailedUpdateScale',
          message: `the HPA controller was unable to update the target scale: ${why}`,
        }),
      );
    }
    memory.history = withScaleEvent(decision.history, this.#clock.monotonic(), {
      from,
      to: desired,
    });
    this.#tell(autoscaler, 'Normal', {
      reason: 'SuccessfulRescale',
      message: `New size: ${desired}; reason: ${rescaleReason}`,
    });
    return condition('True', {
      reason: 'SucceededRescale',
      message: `the HPA controller was able to update the target scale to ${desired}`,
    });
  }

  /** Failures are told when they begin and when they change, not at each sample. */
  #tellFailures(autoscaler: HorizontalPodAutoscalerV2, { failures, conditions }: Decision): void {
    const next = findCondition(conditions, 'ScalingActive');
    const before = findCondition(autoscaler.status?.conditions, 'ScalingActive');
    if (next?.status === before?.status && next?.message === before?.message) return;
    for (const failure of failures) this.#tell(autoscaler, 'Warning', failure);
  }

  async #tellNoTarget(
    autoscaler: HorizontalPodAutoscalerV2,
    memory: Memory,
    why: DecidedCondition,
  ): Promise<void> {
    const before = findCondition(autoscaler.status?.conditions, why.type);
    const { reason = '', message = '' } = why;
    if (before?.message !== message) this.#tell(autoscaler, 'Warning', { reason, message });
    const { currentReplicas = 0, desiredReplicas = 0 } = autoscaler.status ?? {};
    await this.#writeStatus(autoscaler, memory, {
      current: currentReplicas,
      desired: desiredReplicas,
      rescaled: false,
      conditions: [why],
      metrics: undefined,
      nowMs: this.#clock.now(),
    });
  }

  async #writeStatus(
    autoscaler: HorizontalPodAutoscalerV2,
    memory: Memory,
    outcome: Outcome,
  ): Promise<void> {
    const now = this.#clock.monotonic();
    const pace = { sinceMs: now - memory.writtenAtMs, options: this.#options };
    const next = autoscalerStatus(autoscaler, outcome);
    if (!isWorthWriting(autoscaler.status, next, pace)) return;
    memory.writtenAtMs = now;
    await writeStatus({ resource: this.#resource }, autoscaler, (current) =>
      autoscalerStatus(current, outcome),
    );
  }

  #tell(about: HorizontalPodAutoscalerV2, type: 'Normal' | 'Warning', note: Reason): void {
    this.#events.event(about, { type, reason: note.reason, message: note.message });
  }
}

function condition(status: 'True' | 'False', { reason, message }: Reason): DecidedCondition {
  return { type: 'AbleToScale', status, reason, message };
}

/** What was said last of each type holds, as if said one after another. */
function lastOfEach(conditions: readonly DecidedCondition[]): DecidedCondition[] {
  return [...new Map(conditions.map((each) => [each.type, each])).values()];
}

/** The scale's selector; the one of before where it is the same; undefined where it tells of none that can be read. */
function readableSelector({ status }: Scale, before: Selector | undefined): Selector | undefined {
  const text = status?.selector ?? '';
  if (text === '' || before?.text === text) return text === '' ? undefined : before;
  try {
    return parseLabelSelector(text);
  } catch {
    return undefined;
  }
}

function noSelector({ status }: Scale): Obstacle {
  const reason = 'InvalidSelector';
  if (!status?.selector)
    return {
      condition: { reason, message: "the HPA target's scale is missing a selector" },
      event: { reason: 'SelectorRequired', message: 'selector is required' },
    };
  const message = `couldn't convert selector into a corresponding internal selector object: ${JSON.stringify(status.selector)} is no label selector`;
  return { condition: { reason, message }, event: { reason, message } };
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
