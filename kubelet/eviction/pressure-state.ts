// What the node's signals have come to over time: pressures, and thresholds whose patience is over. Pure: a state and a step.
// Invariants: a pressure stays for the transition period after it was last observed; a threshold that was acted on stays until its
// minimum reclaim is there.
import {
  metBy,
  type Observations,
  type Pressure,
  pressureOf,
  type Threshold,
} from './thresholds.ts';

/** What is remembered between two looks. Times are monotonic milliseconds. */
export interface PressureState {
  /** By a threshold's id: since when it is met. */
  readonly metSince: ReadonlyMap<string, number>;
  readonly seenAt: ReadonlyMap<Pressure, number>;
  /** Thresholds whose patience was over at the last look. */
  readonly due: readonly Threshold[];
  /** In the order in which they came. */
  readonly pressures: readonly Pressure[];
}

/** Before the first look. */
export const NO_PRESSURE: PressureState = {
  metSince: new Map(),
  seenAt: new Map(),
  due: [],
  pressures: [],
};

/** A look at the signals. */
export interface Look {
  readonly thresholds: readonly Threshold[];
  readonly observations: Observations;
  readonly nowMs: number;
  readonly transitionMs: number;
}

/** The state after a look. */
export function stepPressure(before: PressureState, look: Look): PressureState {
  const { thresholds, observations, nowMs, transitionMs } = look;
  const met = new Set(metBy(observations, thresholds, { reclaiming: false }));
  for (const each of metBy(observations, before.due, { reclaiming: true })) met.add(each);
  const metSince = new Map(
    Array.from(met, ({ id }) => [id, before.metSince.get(id) ?? nowMs] as const),
  );
  const seenAt = new Map(before.seenAt);
  for (const { signal } of met) seenAt.set(pressureOf(signal), nowMs);
  return {
    metSince,
    seenAt,
    due: [...met].filter(({ id, graceMs }) => nowMs - (metSince.get(id) ?? nowMs) >= graceMs),
    pressures: [...seenAt].flatMap(([pressure, at]) =>
      at === nowMs || nowMs - at < transitionMs ? [pressure] : [],
    ),
  };
}
