// What a work queue tells whoever measures it, and the plainest such measurer: counters in an object.
// Invariant: observers only look; the queue does the same with and without one.

/** Told of each step of a queue. Times are milliseconds. */
export interface QueueObserver {
  added(depth: number): void;
  started(waitedMs: number, depth: number): void;
  finished(tookMs: number): void;
  retried(): void;
  /** The queue is full: this key is lost to it. */
  refused(key: string): void;
}

/** What went through a queue so far. */
export interface QueueCounters {
  depth: number;
  adds: number;
  retries: number;
  /** Keys lost because the queue was full. */
  refused: number;
  started: number;
  finished: number;
  /** Sum of the times keys waited. */
  waitedMs: number;
  /** Sum of the times keys were worked on. */
  workedMs: number;
  longestWaitMs: number;
}

/** Counters at nought and the observer that keeps them. */
export function countQueue(): {
  readonly counters: QueueCounters;
  readonly observer: QueueObserver;
} {
  const counters: QueueCounters = {
    depth: 0,
    adds: 0,
    retries: 0,
    refused: 0,
    started: 0,
    finished: 0,
    waitedMs: 0,
    workedMs: 0,
    longestWaitMs: 0,
  };
  const observer: QueueObserver = {
    added(depth) {
      counters.adds++;
      counters.depth = depth;
    },
    started(waitedMs, depth) {
      counters.started++;
      counters.depth = depth;
      counters.waitedMs += waitedMs;
      counters.longestWaitMs = Math.max(counters.longestWaitMs, waitedMs);
    },
    finished(tookMs) {
      counters.finished++;
      counters.workedMs += tookMs;
    },
    retried() {
      counters.retries++;
    },
    refused() {
      counters.refused++;
    },
  };
  return { counters, observer };
}

/** An observer that tells both. */
export function tellBoth(one: QueueObserver, other: QueueObserver): QueueObserver {
  return {
    added(depth) {
      one.added(depth);
      other.added(depth);
    },
    started(waitedMs, depth) {
      one.started(waitedMs, depth);
      other.started(waitedMs, depth);
    },
    finished(tookMs) {
      one.finished(tookMs);
      other.finished(tookMs);
    },
    retried() {
      one.retried();
      other.retried();
    },
    refused(key) {
      one.refused(key);
      other.refused(key);
    },
  };
}
