// Turns a checked tree into functions that run it.
// Invariant: a plan is made once and run often; it keeps nothing between runs. What dyn hid from the checker is tested here.
import type {
  Bind,
  Call,
  Expr,
  Fold,
  ListLiteral,
  MapLiteral,
  Select,
  StructLiteral,
} from './ast.ts';
import { CelError, noSuchOverload } from './cel-error.ts';
import type { Checked } from './checker.ts';
import { fold } from './folds.ts';
import type { Plan } from './frame.ts';
import { indexed, keyText, keyWork } from './library/operators.ts';
import type { Meter } from './meter.ts';
import { NOMINAL, type Overload } from './overload.ts';
import { valueTest } from './type-match.ts';
import {
  type CelValue,
  MapValue,
  NONE,
  ObjectValue,
  Optional,
  PlainList,
  PlainMap,
  PlainObject,
  sizeOf,
  TypeValue,
} from './values.ts';

/** A tree made ready. */
export interface Planned {
  readonly plan: Plan;
  /** How many slots a frame needs. */
  readonly slots: number;
}

/** The first slots are those of `variables`, in that order. */
export function planned(checked: Checked, variables: readonly string[]): Planned {
  const planner = new Planner(checked, variables);
  return { plan: planner.plan(checked.expr), slots: planner.slots };
}

/** What an identifier, a field or an index costs. */
const STEP = 1;
const LIST_COST = 10;
const MAP_COST = 30;
const OBJECT_COST = 40;

class Planner {
  readonly #checked: Checked;
  #scope: ReadonlyMap<string, number>;
  /** By slot: how the value of a bound name is worked out. */
  readonly #lazy = new Map<number, Plan>();
  slots: number;

  constructor(checked: Checked, variables: readonly string[]) {
    this.#checked = checked;
    this.#scope = new Map(variables.map((name, slot) => [name, slot]));
    this.slots = variables.length;
  }

  plan(expr: Expr): Plan {
    const named = this.#checked.typeNames.get(expr);
    if (named !== undefined) return constant(new TypeValue(named), STEP);
    const dotted = this.#checked.dotted.get(expr);
    if (dotted !== undefined) return this.#variable(dotted);
    switch (expr.kind) {
      case 'literal':
        return constant(expr.value, 0);
      case 'ident':
        return this.#variable(expr.name);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'fold':
        return this.#fold(expr);
      case 'bind':
        return this.#bind(expr);
    }
  }

  #variable(name: string): Plan {
    const slot = this.#scope.get(name) ?? -1;
    const lazy = this.#lazy.get(slot);
    if (lazy !== undefined)
      return (frame) => {
        frame.meter.charge(STEP);
        return (frame.slots[slot] ??= lazy(frame));
      };
    return ({ slots, meter }) => {
      meter.charge(STEP);
      const value = slots[slot];
      if (value === undefined) throw new CelError(`no such attribute(s): ${name}`);
      return value;
    };
  }

  #select({ operand, field, mode }: Select): Plan {
    const of = this.plan(operand);
    if (mode === 'test') return (frame) => isSet(of(frame), field);
    if (mode === 'optional')
      return (frame) => {
        const whole = of(frame);
        frame.meter.charge(STEP);
        return optionalField(whole, field);
      };
    return (frame) => {
      const whole = of(frame);
      frame.meter.charge(STEP);
      if (whole instanceof Optional) return optionalField(whole, field);
      const value = fieldOf(whole, field);
      if (value === undefined) throw new CelError(`no such key: ${field}`);
      return value;
    };
  }

  #call(expr: Call): Plan {
    const special = expr.target === undefined ? this.#special(expr) : undefined;
    if (special !== undefined) return special;
    const withTarget = expr.target !== undefined && !this.#checked.qualified.has(expr);
    const args = withTarget ? [expr.target!, ...expr.args] : expr.args;
    return call(
      this.#checked.overloads.get(expr) ?? [],
      args.map((arg) => this.plan(arg)),
    );
  }

  #special({ name, args }: Call): Plan | undefined {
    const part = (i: number): Plan => this.plan(args[i]!);
    switch (name) {
      case '_&&_':
      case '_||_':
        return logic(
          name === '_||_',
          args.map((arg) => this.plan(arg)),
        );
      case '_?_:_':
        return choice(part(0), part(1), part(2));
      case '_[_]':
      case '_[?_]':
        return index(part(0), part(1), name === '_[_]');
      default:
        return undefined;
    }
  }

  #list({ items }: ListLiteral): Plan {
    const parts = items.map(({ value, optional }) => ({ plan: this.plan(value), optional }));
    return (frame) => {
      frame.meter.charge(LIST_COST);
      const values: CelValue[] = [];
      for (const { plan, optional } of parts) {
        const value = optional ? held(plan(frame)) : plan(frame);
        if (value !== undefined) values.push(value);
      }
      return new PlainList(values);
    };
  }

  #map({ entries }: MapLiteral): Plan {
    const parts = entries.map(({ key, value, optional }) => ({
      key: this.plan(key),
      plan: this.plan(value),
      optional,
    }));
    return (frame) => {
      frame.meter.charge(MAP_COST);
      const made = new PlainMap();
      for (const { key, plan, optional } of parts) {
        const name = key(frame);
        const value = optional ? held(plan(frame)) : plan(frame);
        if (value !== undefined) made.add(name, value);
      }
      return made;
    };
  }

  #struct({ type, fields }: StructLiteral): Plan {
    const parts = fields.map(({ name, value, optional }) => ({
      name,
      plan: this.plan(value),
      optional,
    }));
    return (frame) => {
      frame.meter.charge(OBJECT_COST);
      const values = new Map<string, CelValue>();
      for (const { name, plan, optional } of parts) {
        const value = optional ? held(plan(frame)) : plan(frame);
        if (value !== undefined) values.set(name, value);
      }
      return new PlainObject(type, values);
    };
  }

  #within<T>(names: readonly string[], inner: (slots: readonly number[]) => T): T {
    const before = this.#scope;
    const own = names.map(() => this.slots++);
    this.#scope = new Map([...before, ...names.map((name, i) => [name, own[i]!] as const)]);
    const result = inner(own);
    this.#scope = before;
    return result;
  }

  #fold({ macro, range, variables, condition, body }: Fold): Plan {
    const over = this.plan(range);
    return this.#within(variables, (slots) =>
      fold({
        macro,
        range: over,
        slots,
        condition: condition && this.plan(condition),
        body: this.plan(body),
      }),
    );
  }

  /** The value is worked out when it is first needed, as upstream does: an error is met where the name stands. */
  #bind({ name, value, body }: Bind): Plan {
    const of = this.plan(value);
    return this.#within([name], ([slot = 0]) => {
      this.#lazy.set(slot, of);
      const inner = this.plan(body);
      return (frame) => {
        frame.meter.charge(LIST_COST);
        frame.slots[slot] = undefined;
        return inner(frame);
      };
    });
  }
}

function constant(value: CelValue, cost: number): Plan {
  if (cost === 0) return () => value;
  return ({ meter }) => {
    meter.charge(cost);
    return value;
  };
}

/** The field of an object, or the value at a text of a map; undefined where it is not set. */
function fieldOf(whole: CelValue, field: string): CelValue | undefined {
  if (whole instanceof ObjectValue || whole instanceof MapValue) return whole.get(field);
  throw noSuchOverload();
}

function isSet(whole: CelValue, field: string): boolean {
  if (!(whole instanceof Optional)) return fieldOf(whole, field) !== undefined;
  return whole.value !== undefined && fieldOf(whole.value, field) !== undefined;
}

function asOptional(value: CelValue | undefined): Optional {
  if (value instanceof Optional) return value;
  return value === undefined ? NONE : new Optional(value);
}

function optionalField(whole: CelValue, field: string): Optional {
  const of = whole instanceof Optional ? whole.value : whole;
  return of === undefined ? NONE : asOptional(fieldOf(of, field));
}

/** What an optional part of a literal holds. */
function held(value: CelValue): CelValue | undefined {
  if (value instanceof Optional) return value.value;
  throw noSuchOverload();
}

/** `a && b` ends at the first false, `a || b` at the first true; errors beside it are absorbed. */
function logic(end: boolean, parts: readonly Plan[]): Plan {
  return (frame) => {
    let failed: CelError | undefined;
    for (const part of parts) {
      try {
        const value = part(frame);
        if (value === end) return end;
        if (typeof value !== 'boolean') failed ??= noSuchOverload();
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        failed ??= error;
      }
    }
    if (failed) throw failed;
    return !end;
  };
}

function choice(condition: Plan, yes: Plan, no: Plan): Plan {
  return (frame) => {
    const value = condition(frame);
    if (typeof value !== 'boolean') throw noSuchOverload();
    return value ? yes(frame) : no(frame);
  };
}

function index(of: Plan, at: Plan, required: boolean): Plan {
  return (frame) => {
    const whole = of(frame);
    const key = at(frame);
    frame.meter.charge(STEP);
    frame.meter.work(keyWork(key));
    const optional = whole instanceof Optional;
    const from = optional ? whole.value : whole;
    const value = from === undefined ? undefined : indexed(from, key);
    if (optional || !required) return asOptional(value);
    if (value !== undefined) return value;
    const missing = whole instanceof MapValue ? 'no such key' : 'index out of bounds';
    throw new CelError(`${missing}: ${keyText(key)}`);
  };
}

interface Candidate {
  readonly overload: Overload;
  readonly tests: readonly ((value: CelValue) => boolean)[];
}

function call(overloads: readonly Overload[], args: readonly Plan[]): Plan {
  const candidates = overloads.map((overload) => ({
    overload,
    tests: overload.params.map(valueTest),
  }));
  return (frame) => {
    const values = args.map((arg) => arg(frame));
    const chosen = candidates.find((candidate) => takes(candidate, values));
    if (chosen === undefined) throw noSuchOverload();
    charge(chosen.overload, values, frame.meter);
    return chosen.overload.run(values, frame.meter);
  };
}

function takes({ tests }: Candidate, values: readonly CelValue[]): boolean {
  for (let i = 0; i < tests.length; i += 1) {
    if (!tests[i]!(values[i] ?? null)) return false;
  }
  return true;
}

function charge({ costs }: Overload, values: readonly CelValue[], meter: Meter): void {
  if (costs === NOMINAL) {
    meter.charge(1);
    return;
  }
  meter.charge(costs.cost(values.map(sizeOf)));
  if (costs.work !== undefined) meter.work(costs.work(values));
}
