// When a node counts as away. Times are milliseconds.

/** What can be set. */
export interface NodeLifecycleOptions {
  /** A node that has said nothing for this long is away. Default 40 000: four renewals of its Lease. */
  readonly graceMs: number;
  /** A node that has never said anything gets this long from when it is first seen. Default 60 000. */
  readonly startupGraceMs: number;
}

const DEFAULTS: NodeLifecycleOptions = { graceMs: 40_000, startupGraceMs: 60_000 };

/** The options with defaults filled in, frozen. */
export function resolveNodeLifecycleOptions(
  partial: Partial<NodeLifecycleOptions> = {},
): NodeLifecycleOptions {
  return Object.freeze({ ...DEFAULTS, ...partial });
}
