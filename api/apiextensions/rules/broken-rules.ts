// Holds a custom resource to the expressions of its schema: at every level, within one budget for the whole object.
// Invariants: rules about `oldSelf` are asked only where the value of before is known to be this one's; what did not change
// breaks no other rule (KEP-4008); nothing written in a rule takes longer than its limits. Wordings are those API users know.
import { evaluate, type Outcome, type Program } from '../../cel/compile.ts';
import { celValue } from '../../cel/json-values.ts';
import { type CostBudget, costBudget } from '../../cel/meter.ts';
import { type CelValue, NONE, Optional } from '../../cel/values.ts';
import type { FieldError } from '../../field-error.ts';
import {
  duplicate,
  fieldError,
  forbiddenField,
  invalidBecause,
  invalidValue,
  required,
} from '../../field-error.ts';
import type { ValidationRule } from '../../generated/types.ts';
import { deepEqual } from '../../meta/deep-equal.ts';
import { type Path, textOf } from '../../schema/structural/place.ts';
import type { Structural } from '../../schema/structural/structural.ts';
import { type CompiledRule, rulesOfPlace } from './rule-programs.ts';

/** Bytes of a message that an expression makes. */
export const MAX_MADE_MESSAGE_BYTES = 5 * 1024;
/** Of one object, this many broken rules are told. */
export const MAX_BROKEN_RULES = 100;

/** An object and its schema; `root` where it is a whole object, and no part of one. */
export interface RuledObject {
  readonly value: unknown;
  /** Undefined for what is new. */
  readonly old: unknown;
  readonly schema: Structural;
  readonly root: boolean;
}

/** Cost, or work beside it, after which others come in between: about a hundredth of a second. One rule may take ten times as much. */
export const TURN_COST = 100_000;
/** Places looked at, after which they come in between as well: cheap rules of a long list take longer to reach than to ask. */
export const TURN_PLACES = 2_000;

/** The rules that the object breaks. */
export function brokenRules(object: RuledObject): FieldError[] {
  const asking = askRules(object, []);
  for (;;) {
    const { done, value } = asking.next();
    if (done) return value;
  }
}

/**
 * As brokenRules, in pieces: it yields where others should come in between. `passed` is given the rules that the object broke
 * before, at values that did not change.
 */
export function* askRules(
  { value, old, schema, root }: RuledObject,
  passed: FieldError[],
): Generator<undefined, FieldError[]> {
  if (!schema.hasValidations) return [];
  const run = new RuleRun(passed);
  yield* run.visit({ value, old, schema, at: undefined, root });
  yield* run.ask();
  return run.errors;
}

interface Visited extends RuledObject {
  readonly at: Path | undefined;
  /** The nearest place around it whose value of before is known. */
  readonly around?: Pair;
}

/** A value and what it was before. */
interface Pair {
  readonly value: unknown;
  readonly old: unknown;
}

class RuleRun {
  readonly errors: FieldError[] = [];
  readonly #passed: FieldError[];
  readonly #budget: CostBudget = costBudget();
  /** Places that have rules, each before those within it. */
  readonly #places: Visited[] = [];
  #over = false;
  #steps = 0;
  #leftBefore = 0;

  constructor(passed: FieldError[]) {
    this.#passed = passed;
    this.#leftBefore = Math.min(this.#budget.remaining, this.#budget.work);
  }

  /** Asks the rules of all places that were visited. */
  *ask(): Generator<undefined, void> {
    for (const place of this.#places)
      for (const each of this.#asking(place)) {
        this.#askOne(each);
        if (this.#over) return;
        if (this.#isTurnOver()) yield;
      }
  }

  /** Is it others' turn? Asked at each step. */
  #isTurnOver(): boolean {
    const left = Math.min(this.#budget.remaining, this.#budget.work);
    this.#steps += 1;
    if (this.#steps < TURN_PLACES && this.#leftBefore - left < TURN_COST) return false;
    this.#steps = 0;
    this.#leftBefore = left;
    return true;
  }

  /** Finds the places that have rules. */
  *visit(visited: Visited): Generator<undefined, void> {
    const { value, schema } = visited;
    // Rules about nullable values stand at what is around them.
    if (!schema.hasValidations || value === null || value === undefined) return;
    if (this.#isTurnOver()) yield;
    if (schema.validations.length > 0) this.#places.push(visited);
    const around = nearest(visited);
    const within = { ...visited, ...(around && { around }) };
    if (Array.isArray(value)) yield* this.#list(value, within);
    else if (typeof value === 'object') yield* this.#object(value as Fields, within);
  }

  *#list(
    list: readonly unknown[],
    { old, schema, at, around }: Visited,
  ): Generator<undefined, void> {
    const { items } = schema;
    if (!items?.hasValidations) return;
    const before = yield* oldItems(old, schema);
    for (const [key, value] of list.entries()) {
      const place = { parent: at, key };
      const part = { value, old: before(value), schema: items, at: place, root: false };
      yield* this.visit({ ...part, ...(around && { around }) });
    }
  }

  *#object(object: Fields, { old, schema, at, around }: Visited): Generator<undefined, void> {
    const { properties, additional } = schema;
    const before = isFields(old) ? old : {};
    const below = { root: false, ...(around && { around }) };
    const oldOf = (key: string) => (Object.hasOwn(before, key) ? before[key] : undefined);
    if (properties.size === 0) {
      if (additional === undefined || additional === 'any' || !additional.hasValidations) return;
      for (const key of Object.keys(object)) {
        const place = { parent: at, key, inMap: true as const };
        const part = { value: object[key], old: oldOf(key), schema: additional };
        yield* this.visit({ ...below, ...part, at: place });
      }
      return;
    }
    for (const [key, part] of properties) {
      if (!part.hasValidations || !Object.hasOwn(object, key)) continue;
      const place = { parent: at, key };
      yield* this.visit({ ...below, value: object[key], old: oldOf(key), schema: part, at: place });
    }
  }

  /** The rules of a place that can be asked there. */
  *#asking(visited: Visited): Generator<AskedRule> {
    const { value, old, schema, at, root } = visited;
    const { type, rules } = rulesOfPlace(schema, root);
    const self = celValue(value, type);
    const before = old === undefined || old === null ? undefined : celValue(old, type);
    const optional = before === undefined ? NONE : new Optional(before);
    for (const compiled of rules) {
      const { optionalOldSelf } = compiled.rule;
      if (compiled.usesOldSelf && before === undefined && !optionalOldSelf) continue;
      const bindings = { self, oldSelf: optionalOldSelf ? optional : before };
      yield { compiled, visited, asked: { bindings, value, schema, at } };
    }
  }

  #askOne({ compiled, visited, asked }: AskedRule): void {
    const error = this.#broken(compiled, asked);
    if (!error) return;
    if (this.#over || compiled.usesOldSelf || !isUnchanged(nearest(visited))) this.#tell(error);
    else if (this.#passed.length < MAX_BROKEN_RULES) this.#passed.push(error);
  }

  #tell(error: FieldError): void {
    this.errors.push(error);
    if (this.errors.length >= MAX_BROKEN_RULES) this.#over = true;
  }

  #broken({ rule, program, fault, message, steps }: CompiledRule, asked: Asked) {
    const { bindings, schema, at } = asked;
    const wrong = (why: string) => invalidValue(fieldAt(at), schema.type ?? '', why);
    if (program === undefined) return wrong(`rule compile error: ${fault}`);
    const outcome = this.#evaluate(program, bindings);
    if (outcome.kind !== 'value') return wrong(this.#why(outcome, rule));
    if (outcome.value === true) return undefined;
    const said = message && this.#message(message, rule, bindings);
    if (said?.over) return wrong(said.over);
    const place = steps.reduce<Path | undefined>(
      (parent, { name, inMap }) => ({ parent, key: name, ...(inMap && { inMap }) }),
      at,
    );
    return brokenRule(rule, said?.text ?? ownWords(rule), { ...asked, at: place });
  }

  #evaluate(program: Program, bindings: Asked['bindings']): Outcome {
    if (this.#budget.remaining <= 0) return { kind: 'exceeded', scope: 'request', cost: 0 };
    return evaluate(program, bindings, this.#budget);
  }

  /** What went wrong. Where a budget is spent, no other rule is asked. */
  #why(outcome: Exclude<Outcome, { kind: 'value' }>, rule: ValidationRule): string {
    if (outcome.kind === 'error')
      return outcome.message.startsWith('no such overload')
        ? `'${outcome.message}': call arguments did not match a supported operator, function or macro signature for rule: ${named(rule)}`
        : `${outcome.message} evaluating rule: ${named(rule)}`;
    this.#over = true;
    return outcome.scope === 'request'
      ? 'validation failed due to running out of cost budget, no further validation rules will be run'
      : `'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${named(rule)}`;
  }

  /** The words of a message expression; none where it gives nothing that can be shown. */
  #message(
    program: Program,
    { messageExpression = '' }: ValidationRule,
    bindings: Asked['bindings'],
  ): { readonly text?: string | undefined; readonly over?: string } {
    const outcome = this.#evaluate(program, bindings);
    if (outcome.kind === 'value') return { text: shownMessage(outcome.value) };
    if (outcome.kind === 'error') return {};
    this.#over = true;
    const over =
      outcome.scope === 'request'
        ? 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run'
        : `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(messageExpression)}`;
    return { over };
  }
}

interface Asked {
  readonly bindings: Readonly<Record<string, CelValue | undefined>>;
  readonly value: unknown;
  readonly schema: Structural;
  readonly at: Path | undefined;
}

interface AskedRule {
  readonly compiled: CompiledRule;
  readonly visited: Visited;
  readonly asked: Asked;
}

/** Upstream gives the whole object this name. */
export const WHOLE = '<nil>';

const fieldAt = (at: Path | undefined): string => (at === undefined ? WHOLE : textOf(at));

function shownMessage(value: CelValue): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  const fits = text !== '' && !text.includes('\n');
  return fits && Buffer.byteLength(text) <= MAX_MADE_MESSAGE_BYTES ? text : undefined;
}

function brokenRule({ reason }: ValidationRule, why: string, { at, value, schema }: Asked) {
  const field = fieldAt(at);
  const whole = schema.type === 'object' || schema.type === 'array';
  switch (reason) {
    case 'FieldValueForbidden':
      return forbiddenField(field, why);
    case 'FieldValueRequired':
      return required(field, why);
    case 'FieldValueDuplicate':
      return whole
        ? fieldError('FieldValueDuplicate', field, 'Duplicate value')
        : duplicate(field, value);
    default:
      return whole ? invalidBecause(field, why) : invalidValue(field, value, why);
  }
}

/** What a rule is called in errors. */
function named({ message = '', rule }: ValidationRule): string {
  return (message === '' ? rule : message).trim();
}

function ownWords(rule: ValidationRule): string {
  return rule.message ? named(rule) : `failed rule: ${named(rule)}`;
}

/** The place itself, where its value of before is known. */
function nearest({ value, old, around }: Visited): Pair | undefined {
  return old === undefined || old === null ? around : { value, old };
}

function isUnchanged(pair: Pair | undefined): boolean {
  return pair !== undefined && deepEqual(pair.value, pair.old);
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Items of keyed lists are those of before by their keys; of other lists nobody knows. */
function* oldItems(
  old: unknown,
  { listType, listMapKeys }: Structural,
): Generator<undefined, (item: unknown) => unknown> {
  if (listType !== 'map' || !Array.isArray(old)) return () => undefined;
  const keyOf = (item: unknown) =>
    JSON.stringify(isFields(item) ? listMapKeys.map((key) => item[key] ?? null) : item);
  const byKey = new Map<string, unknown>();
  for (const [i, item] of old.entries()) {
    byKey.set(keyOf(item), item);
    if (i % TURN_PLACES === TURN_PLACES - 1) yield;
  }
  return (item) => byKey.get(keyOf(item));
}
