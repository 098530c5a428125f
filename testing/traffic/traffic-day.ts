// The traffic of one run: what comes each second, what the pods that serve make of it, and what is recorded minute by minute. Pure.
// Invariant: seconds are played once each, in order; pods that join or leave within a second count from its beginning.
import type { Curve } from './curve.ts';
import { RequestQueue } from './request-queue.ts';
import type { Service } from './service.ts';

/** One row of the record. */
export interface TrafficMinute {
  /** Seconds from the curve's beginning, of the row's own. */
  readonly atSeconds: number;
  /** Requests that came. */
  offered: number;
  served: number;
  /** Of those served, how many had to wait. */
  delayed: number;
  lost: number;
  waitedSeconds: number;
  longestSeconds: number;
  /** Seconds in which more came than the pods can serve. */
  overloadedSeconds: number;
  /** Replicas that the autoscaler wanted, at its end. */
  wanted: number;
  /** Pods that were ready, on average. */
  ready: number;
  /** Pods that were there, ready or not, on average. */
  pods: number;
  /** Use of CPU in percent of what the ready pods ask for; 0 without pods. */
  utilization: number;
}

/** A change of the size that was wanted. */
export interface Scaling {
  readonly atSeconds: number;
  readonly from: number;
  readonly to: number;
}

/** How many pods there are of the service. */
export interface PodCount {
  readonly serving: number;
  readonly all: number;
}

const ROW_SECONDS = 60;

/** The model; seconds before 0 are the warm-up: they have the curve's first rate and are not recorded. */
export class TrafficDay {
  readonly minutes: TrafficMinute[] = [];
  readonly scalings: Scaling[] = [];
  readonly #curve: Curve;
  readonly #service: Service;
  readonly #queue: RequestQueue;
  #second: number;
  #pods: PodCount = { serving: 0, all: 0 };
  #wanted: number | undefined;
  /** Processor time that a pod has used that served all along, in milliseconds. */
  #cpuMsPerPod = 0;

  constructor(curve: Curve, service: Service, warmUpSeconds: number) {
    this.#curve = curve;
    this.#service = service;
    this.#queue = new RequestQueue(service.patienceSeconds);
    this.#second = -warmUpSeconds;
  }

  /** The seconds that have been played. */
  get second(): number {
    return this.#second;
  }

  /** Processor time of a pod that served from the beginning; what one used is a difference of two. */
  get cpuMsPerPod(): number {
    return this.#cpuMsPerPod;
  }

  /** Plays what is left until that second. */
  playTo(second: number): void {
    while (this.#second < Math.min(second, this.#curve.seconds)) this.#play(this.#second++);
  }

  /** From the present second on. */
  setPods(pods: PodCount): void {
    this.#pods = pods;
  }

  /** From the present second on. */
  setWanted(wanted: number): void {
    const from = this.#wanted;
    this.#wanted = wanted;
    if (from !== undefined && from !== wanted && this.#second >= 0)
      this.scalings.push({ atSeconds: this.#second, from, to: wanted });
  }

  #play(second: number): void {
    const { cpuMsPerRequest, capacityPerPod, requestMilli } = this.#service;
    const { serving, all } = this.#pods;
    const arrive = this.#curve.perSecond[Math.max(0, second)] ?? 0;
    const capacity = serving * capacityPerPod;
    const passed = this.#queue.pass(second, { arrive, capacity });
    const cpuMs = passed.served * cpuMsPerRequest;
    if (serving > 0) this.#cpuMsPerPod += cpuMs / serving;
    if (second < 0) return;
    const row = this.#rowOf(second);
    row.offered += arrive;
    row.served += passed.served;
    row.delayed += passed.delayed;
    row.lost += passed.lost;
    row.waitedSeconds += passed.waitedSeconds;
    row.longestSeconds = Math.max(row.longestSeconds, passed.longestSeconds);
    if (arrive > capacity) row.overloadedSeconds++;
    row.wanted = this.#wanted ?? 0;
    const length = Math.min(ROW_SECONDS, this.#curve.seconds - row.atSeconds);
    row.ready += serving / length;
    row.pods += all / length;
    if (serving > 0 && requestMilli > 0)
      row.utilization += (100 * cpuMs) / (serving * requestMilli) / length;
  }

  #rowOf(second: number): TrafficMinute {
    const last = this.minutes.at(-1);
    if (last && second < last.atSeconds + ROW_SECONDS) return last;
    const row = nothingYet(second);
    this.minutes.push(row);
    return row;
  }
}

/** The row of a minute in which nothing has happened yet. */
export function nothingYet(atSeconds: number): TrafficMinute {
  return {
    atSeconds,
    offered: 0,
    served: 0,
    delayed: 0,
    lost: 0,
    waitedSeconds: 0,
    longestSeconds: 0,
    overloadedSeconds: 0,
    wanted: 0,
    ready: 0,
    pods: 0,
    utilization: 0,
  };
}
