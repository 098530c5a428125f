// What load workers are told and what they answer; plain data, since it crosses processes.
import type { Target } from './http-connection.ts';

/** A request to make many times. */
export interface RequestPlan {
  readonly method: string;
  /** `{i}` is the number of the request, `{o}` that number modulo `objects`; in the body too. */
  readonly path: string;
  readonly body?: string;
  /** Media type of the body. */
  readonly type: string;
  readonly objects: number;
  /** The only status that counts as an answer. */
  readonly status: number;
}

/** So many requests by so many clients at once. */
export interface LoadOrder {
  readonly kind: 'load';
  readonly target: Target;
  readonly request: RequestPlan;
  readonly clients: number;
  /** Number of the first request, and how far apart this worker's are. */
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** What came of it; milliseconds. */
export interface LoadReport {
  readonly ms: number;
  /** Of bodies. */
  readonly bytes: number;
  readonly latencies: Float64Array;
  /** What the worker itself needed. */
  readonly cpuMs: number;
}

/** Watchers of one collection, each a connection of its own. */
export interface FanOutOrder {
  readonly kind: 'fan-out';
  readonly target: Target;
  readonly path: string;
  readonly watchers: number;
  /** Events that come to each before those that count. */
  readonly warmUp: number;
  /** Events that count, of each. */
  readonly events: number;
}

/** An order of either sort. */
export type WorkerMessage = LoadOrder | FanOutOrder;
/** What a worker says. `ready`: its watches are open. */
export type WorkerAnswer =
  | { readonly ready: true }
  | { readonly report: LoadReport }
  | { readonly error: string };
