// What happened second by second: the data of the live view, the verdict and the report.
import type { LoadSecond } from './load.ts';

/** A service's load in one second. Latencies are milliseconds. */
export interface ServiceSecond {
  readonly answered: number;
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuMillis: number;
  readonly replicas: number;
  readonly ready: number;
}

/** One second of the story. */
export interface TimelineSecond {
  /** Seconds since the story began. */
  readonly at: number;
  /** Length of this bucket in seconds: a busy host makes some longer than one. */
  readonly length: number;
  readonly stage: string;
  readonly payment: ServiceSecond;
  readonly catalog: ServiceSecond;
}

/** Something worth a mark in the charts. */
export interface Moment {
  readonly at: number;
  readonly text: string;
}

/** The value below which `share` of the numbers lie; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** A bucket of load as the timeline shows it. */
export function summarise(
  second: LoadSecond | undefined,
  state: { cpuMillis: number; replicas: number; ready: number },
): ServiceSecond {
  return {
    answered: second?.answered ?? 0,
    failed: second?.failed ?? 0,
    p50: quantile(second?.latencies ?? [], 0.5),
    p99: quantile(second?.latencies ?? [], 0.99),
    ...state,
  };
}

/** Requests a second over each run of at least `seconds`, sliding; the smallest of them. */
export function slowestWindow(
  buckets: readonly { answered: number; length: number }[],
  seconds: number,
): number {
  let slowest = Number.POSITIVE_INFINITY;
  for (let first = 0; first < buckets.length; first++) {
    let answered = 0;
    let length = 0;
    for (const bucket of buckets.slice(first)) {
      answered += bucket.answered;
      length += bucket.length;
      if (length >= seconds) break;
    }
    if (length >= seconds) slowest = Math.min(slowest, answered / length);
  }
  return slowest;
}

/** The largest mean over `seconds`, sliding. */
export function fastestWindow(
  buckets: readonly { answered: number; length: number }[],
  seconds: number,
): number {
  let fastest = 0;
  for (let first = 0; first < buckets.length; first++) {
    let answered = 0;
    let length = 0;
    for (const bucket of buckets.slice(first)) {
      answered += bucket.answered;
      length += bucket.length;
      if (length >= seconds) break;
    }
    if (length >= seconds) fastest = Math.max(fastest, answered / length);
  }
  return fastest;
}
