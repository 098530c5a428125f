// What pods use of a resource, and which pods can be judged by it. Pure.
// Invariant: every pod is in exactly one group: judged, not yet ready, without figures, or not counted at all.
import { table } from '../../base/table.ts';
import type { Container, Pod } from '../../api/generated/types.ts';
import type { PodMetrics } from '../../api/kinds.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { keyOf } from '../../api/meta/object.ts';
import { containerRequests, parseResources } from '../../api/meta/pod-resources.ts';
import { toMilli, tryParseQuantity } from '../../api/meta/quantity.ts';
import { parseTime } from '../../api/meta/time.ts';
import type { AutoscalerOptions } from './options.ts';

/** One pod's use, in thousandths of the resource's unit, as the mean of a window. */
export interface Reading {
  readonly milli: number;
  readonly timestampMs: number;
  readonly windowMs: number;
}

/** Which figure is meant: of the whole pod, or of one of its containers. */
export interface Figure {
  readonly resource: string;
  readonly container: string | undefined;
}

/** The readings of the pods that have one, by key. */
export function readingsOf(
  pods: readonly Pod[],
  samples: ReadonlyMap<string, PodMetrics>,
  figure: Figure,
): Map<string, Reading> {
  const readings = new Map<string, Reading>();
  for (const pod of pods) {
    const sample = samples.get(keyOf(pod));
    const reading = sample && readingOf(sample, figure);
    if (reading) readings.set(keyOf(pod), reading);
  }
  return readings;
}

function readingOf(sample: PodMetrics, { resource, container }: Figure): Reading | undefined {
  const containers = sample.containers.filter(
    ({ name }) => container === undefined || name === container,
  );
  if (containers.length === 0) return undefined;
  let milli = 0;
  for (const { usage } of containers) {
    const amount = tryParseQuantity((usage as Record<string, string>)[resource] ?? '');
    // Half a pod's use would be worse than none.
    if (!amount) return undefined;
    milli += toMilli(amount);
  }
  return {
    milli,
    timestampMs: parseTime(sample.timestamp) ?? 0,
    windowMs: durationMs(sample.window),
  };
}

const UNITS: Readonly<Record<string, number>> = table({ h: 3_600_000, m: 60_000, s: 1000, ms: 1 });

/** Durations as Go writes them: `1s`, `1m30s`, `998.5ms`. */
function durationMs(text: string): number {
  let total = 0;
  for (const [, figure, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(figure) * (UNITS[unit ?? ''] ?? 0);
  return total;
}

/** Pods by what their figures are worth; by key. */
export interface PodGroups {
  /** Pods that count, whether or not they have been told idle or missing. */
  readonly judged: readonly string[];
  readonly unready: readonly string[];
  readonly missing: readonly string[];
}

/** What the sorting of pods rests on. */
export interface GroupFacts {
  readonly resource: string;
  readonly readings: ReadonlyMap<string, Reading>;
  readonly nowMs: number;
  readonly options: Pick<AutoscalerOptions, 'cpuInitializationMs' | 'initialReadinessDelayMs'>;
}

/** Sorts the pods. Those that are being deleted or have failed are in no group. */
export function groupPods(pods: readonly Pod[], facts: GroupFacts): PodGroups {
  const groups = { judged: [] as string[], unready: [] as string[], missing: [] as string[] };
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed') continue;
    const key = keyOf(pod);
    const reading = facts.readings.get(key);
    if (pod.status?.phase === 'Pending') groups.unready.push(key);
    else if (!reading) groups.missing.push(key);
    else if (facts.resource === 'cpu' && isStarting(pod, reading, facts)) groups.unready.push(key);
    else groups.judged.push(key);
  }
  return groups;
}

/** CPU that is used to get ready says nothing about load. */
function isStarting(pod: Pod, reading: Reading, { nowMs, options }: GroupFacts): boolean {
  const ready = findCondition(pod.status?.conditions, 'Ready');
  const startMs = parseTime(pod.status?.startTime);
  if (!ready || startMs === undefined) return true;
  const changedMs = parseTime(ready.lastTransitionTime) ?? 0;
  const isUnready = ready.status === 'False';
  if (startMs + options.cpuInitializationMs > nowMs)
    return isUnready || reading.timestampMs < changedMs + reading.windowMs;
  return isUnready && startMs + options.initialReadinessDelayMs > changedMs;
}

/** What each pod asks for, in thousandths; or why that cannot be told. */
export type Requests =
  | { readonly kind: 'known'; readonly byPod: ReadonlyMap<string, number> }
  | { readonly kind: 'unknown'; readonly why: string };

/** Requests of the pods (of one container where the figure names one). */
export function requestsOf(pods: readonly Pod[], { resource, container }: Figure): Requests {
  const byPod = new Map<string, number>();
  for (const pod of pods) {
    const whole = parseResources(pod.spec?.resources?.requests)[resource];
    if (container === undefined && whole) {
      byPod.set(keyOf(pod), toMilli(whole));
      continue;
    }
    let sum = 0;
    for (const each of runningContainers(pod)) {
      if (container !== undefined && each.name !== container) continue;
      const request = containerRequests(each)[resource];
      if (!request) {
        const why = `missing request for ${resource} in container ${each.name} of Pod ${pod.metadata.name ?? ''}`;
        return { kind: 'unknown', why };
      }
      sum += toMilli(request);
    }
    byPod.set(keyOf(pod), sum);
  }
  return { kind: 'known', byPod };
}

function runningContainers({ spec }: Pod): Container[] {
  const sidecars = (spec?.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === 'Always',
  );
  return [...(spec?.containers ?? []), ...sidecars];
}
