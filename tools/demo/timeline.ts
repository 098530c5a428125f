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
  /** Answers of the bare server beside the cluster, asked as often as the catalog is. */
  readonly bare: number;
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

/** A stretch of load: answers in so many seconds, or in so much of another measure of time. */
interface Bucket {
  readonly answered: number;
  readonly length: number;
}

/**
 * The smallest share of a bare server's answers that the catalog gave, over stretches in which that server gave at least
 * `stretch`: a host that stands still makes a stretch longer, and does not count against who is judged by it. 0 where
 * there was no such stretch.
 */
export function smallestShare(
  seconds: readonly Pick<TimelineSecond, 'bare' | 'catalog'>[],
  stretch: number,
): number {
  const buckets = seconds.map((s) => ({ answered: s.catalog.answered, length: s.bare }));
  return slowestWindow(buckets, stretch);
}

/** Requests a second over each run of at least `seconds`, sliding by a bucket. */
function* windows(buckets: readonly Bucket[], seconds: number): Generator<number> {
  for (let first = 0; first < buckets.length; first++) {
    let answered = 0;
    let length = 0;
    for (const bucket of buckets.slice(first)) {
      answered += bucket.answered;
      length += bucket.length;
      if (length >= seconds) break;
    }
    if (length >= seconds) yield answered / length;
  }
}

/** The smallest mean over `seconds`; 0 where the load was never that long, so that nothing can pass for what was not seen. */
export function slowestWindow(buckets: readonly Bucket[], seconds: number): number {
  const all = [...windows(buckets, seconds)];
  return all.length === 0 ? 0 : Math.min(...all);
}

/** Requests a second over all of it. */
export function meanRate(buckets: readonly Bucket[]): number {
  const sum = (what: keyof Bucket) => buckets.reduce((total, each) => total + each[what], 0);
  return sum('answered') / Math.max(1, sum('length'));
}

/** Payments a second while the sale had one replica, but for the second in which it began; 0 where it soon had more. */
export function rateOfOne(
  seconds: readonly Pick<TimelineSecond, 'stage' | 'length' | 'payment'>[],
): number {
  const sale = seconds.filter(({ stage }) => stage === 'sale').slice(1);
  const alone = sale.filter(({ payment }) => payment.ready === 1);
  return meanRate(alone.map(({ payment: { answered }, length }) => ({ answered, length })));
}

/** The largest mean over `seconds`; 0 where the load was never that long. */
export function fastestWindow(buckets: readonly Bucket[], seconds: number): number {
  return Math.max(0, ...windows(buckets, seconds));
}
