// Loops over lists and maps: `all`, `exists`, `map` and their kin.
// Invariant: every step is charged before it is done, at what upstream's expansion of the macro costs.
import type { FoldName } from './ast.ts';
import { CelError, noSuchOverload } from './cel-error.ts';
import type { Frame, Plan } from './frame.ts';
import { type CelValue, ListValue, MapValue, PlainList, PlainMap } from './values.ts';

/** A loop made ready. `slots` are where its variables go. */
export interface FoldPlan {
  readonly macro: FoldName;
  readonly range: Plan;
  readonly slots: readonly number[];
  readonly condition: Plan | undefined;
  readonly body: Plan;
}

/** What steps cost beside their parts: looking at the loop's condition, and joining the result. */
export interface StepCost {
  readonly start: number;
  /** Of every item. */
  readonly step: number;
  /** Of every item that is kept. */
  readonly kept: number;
}

const LIST: StepCost = { start: 11, step: 0, kept: 12 };
const MAP: StepCost = { start: 31, step: 0, kept: 2 };

/** By macro. */
export const STEP_COSTS: Readonly<Record<FoldName, StepCost>> = {
  all: { start: 1, step: 3, kept: 0 },
  exists: { start: 1, step: 4, kept: 0 },
  exists_one: { start: 2, step: 1, kept: 1 },
  filter: { ...LIST, kept: 13 },
  map: LIST,
  transformList: LIST,
  transformMap: MAP,
  transformMapEntry: { ...MAP, kept: 32 },
};

/** The loop as a plan. */
export function fold(plan: FoldPlan): Plan {
  const { macro } = plan;
  const gather = GATHERERS[macro];
  const { start } = STEP_COSTS[macro];
  return (frame) => {
    const range = plan.range(frame);
    frame.meter.charge(start);
    return gather(plan, frame, stepsOf(range, plan, frame));
  };
}

/** Sets the variables of one item. */
type Steps = { readonly count: number; readonly at: (index: number) => void };

type Gather = (plan: FoldPlan, frame: Frame, steps: Steps) => CelValue;

function stepsOf(range: CelValue, { slots }: FoldPlan, { slots: values }: Frame): Steps {
  const [first = 0, second] = slots;
  if (range instanceof ListValue) {
    const at = (index: number): void => {
      const item = range.at(index) ?? null;
      if (second === undefined) values[first] = item;
      else [values[first], values[second]] = [BigInt(index), item];
    };
    return { count: range.size, at };
  }
  if (!(range instanceof MapValue)) throw noSuchOverload();
  const keys = range.keys();
  const at = (index: number): void => {
    const key = keys[index] ?? null;
    values[first] = key;
    if (second !== undefined) values[second] = range.get(key) ?? null;
  };
  return { count: keys.length, at };
}

function bool(value: CelValue): boolean {
  if (typeof value !== 'boolean') throw noSuchOverload();
  return value;
}

/** `all` ends at the first false, `exists` at the first true; errors before it are absorbed. */
function until(end: boolean): Gather {
  return ({ macro, body }, frame, { count, at }) => {
    let failed: CelError | undefined;
    for (let i = 0; i < count; i += 1) {
      frame.meter.charge(STEP_COSTS[macro].step);
      at(i);
      try {
        if (bool(body(frame)) === end) return end;
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        failed ??= error;
      }
    }
    if (failed) throw failed;
    return !end;
  };
}

/** Keeps something of every item that counts. */
function gathering(make: () => { keep: Keep; result: CelValue }): Gather {
  return (plan, frame, { count, at }) => {
    const { keep, result } = make();
    const { step, kept } = STEP_COSTS[plan.macro];
    for (let i = 0; i < count; i += 1) {
      frame.meter.charge(step);
      at(i);
      if (plan.condition !== undefined && !bool(plan.condition(frame))) continue;
      frame.meter.charge(kept);
      keep(plan.body(frame), plan, frame);
    }
    return result;
  };
}

type Keep = (value: CelValue, plan: FoldPlan, frame: Frame) => void;

function exactlyOne(plan: FoldPlan, frame: Frame, { count, at }: Steps): boolean {
  let found = 0;
  const { step, kept } = STEP_COSTS[plan.macro];
  for (let i = 0; i < count; i += 1) {
    frame.meter.charge(step);
    at(i);
    if (!bool(plan.body(frame))) continue;
    frame.meter.charge(kept);
    found += 1;
  }
  return found === 1;
}

function filtered(plan: FoldPlan, frame: Frame, { count, at }: Steps): ListValue {
  const items: CelValue[] = [];
  const { step, kept } = STEP_COSTS[plan.macro];
  const [slot = 0] = plan.slots;
  for (let i = 0; i < count; i += 1) {
    frame.meter.charge(step);
    at(i);
    if (!bool(plan.body(frame))) continue;
    frame.meter.charge(kept);
    items.push(frame.slots[slot] ?? null);
  }
  return new PlainList(items);
}

const list = gathering(() => {
  const items: CelValue[] = [];
  return { keep: (value) => items.push(value), result: new PlainList(items) };
});

const map = gathering(() => {
  const result = new PlainMap();
  const keep: Keep = (value, { slots: [slot = 0] }, { slots }) =>
    result.add(slots[slot] ?? null, value);
  return { keep, result };
});

const entries = gathering(() => {
  const result = new PlainMap();
  const keep: Keep = (value, _, { meter }) => {
    if (!(value instanceof MapValue)) throw noSuchOverload();
    meter.work(value.size);
    for (const key of value.keys()) result.add(key, value.get(key) ?? null);
  };
  return { keep, result };
});

const GATHERERS: Readonly<Record<FoldName, Gather>> = {
  all: until(false),
  exists: until(true),
  exists_one: exactlyOne,
  filter: filtered,
  map: list,
  transformList: list,
  transformMap: map,
  transformMapEntry: entries,
};
