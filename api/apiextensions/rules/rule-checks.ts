// Rules of the rules in a definition's schemas: that they compile, give what they must, and cannot cost too much.
// Invariant: pure; the worst case is that of the largest object that the schema allows. Wordings are those API users know.
import { estimate } from '../../cel/estimate.ts';
import { ESTIMATE_PER_DEFINITION, ESTIMATE_PER_RULE, REQUEST_BYTES } from '../../cel/limits.ts';
import { definitionAllowance, type PatternAllowance } from '../../cel/pattern-allowance.ts';
import { leastBytes } from '../../cel/schema-type.ts';
import type { FieldError } from '../../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../../field-error.ts';
import type { ValidationRule } from '../../generated/types.ts';
import type { Structural } from '../../schema/structural/structural.ts';
import { FieldPathError, fieldPathSteps } from './field-path.ts';
import { type CompiledRule, rulesOfPlace } from './rule-programs.ts';

const REASONS = [
  'FieldValueDuplicate',
  'FieldValueForbidden',
  'FieldValueInvalid',
  'FieldValueRequired',
];
/** What ends a line in CEL. */
const LINE_BREAK = /[\n\r]/;
/** Of the rules that make a schema too expensive together, so many are named: those with this share of what is allowed at least, as upstream. */
const NAMED_EXPENSIVE = 4;
const NAMED_SHARE = 0.01;

/** Errors of all rules of a schema, which is structural; `path` is the schema's own. Patterns have to fit into `patterns`. */
export function validationRuleErrors(
  tree: Structural,
  path: string,
  patterns: PatternAllowance,
): FieldError[] {
  const checker = new RuleChecker(patterns);
  checker.below({ tree, path, root: true, times: 1, uncorrelated: undefined });
  return [...checker.errors, ...checker.totalErrors(path)];
}

/** What an expression may cost at worst, as often as it can be asked in one object. */
export interface EstimatedRule {
  readonly path: string;
  readonly rule: string;
  readonly cost: number;
}

/** The estimates of all rules of a schema that was checked, their paths from its root. */
export function ruleCosts(tree: Structural): readonly EstimatedRule[] {
  const checker = new RuleChecker(definitionAllowance());
  checker.below({ tree, path: '', root: true, times: 1, uncorrelated: undefined });
  return checker.costs;
}

interface Place {
  readonly tree: Structural;
  readonly path: string;
  readonly root: boolean;
  /** How often the place can be there in one object; undefined where only a request's size bounds it. */
  readonly times: number | undefined;
  /** The list above, whose items cannot be told to be those of before. */
  readonly uncorrelated: string | undefined;
}

class RuleChecker {
  readonly errors: FieldError[] = [];
  readonly costs: EstimatedRule[] = [];
  readonly #patterns: PatternAllowance;

  constructor(patterns: PatternAllowance) {
    this.#patterns = patterns;
  }

  below(place: Place): void {
    const { tree } = place;
    if (!tree.hasValidations) return;
    for (const part of partsOf(place)) this.below(part);
    if (tree.validations.length === 0) return;
    const { path, root } = place;
    const wordings = tree.validations.map((rule, i) =>
      wordingErrors(rule, tree, `${path}.x-kubernetes-validations[${i}]`),
    );
    this.errors.push(...wordings.flat());
    if (this.errors.length > 0) return;
    rulesOfPlace(tree, root, this.#patterns).rules.forEach((rule, i) => {
      this.#compiled(rule, place, `${path}.x-kubernetes-validations[${i}]`);
    });
  }

  #compiled(compiled: CompiledRule, place: Place, path: string): void {
    const { rule, program, fault, message, messageFault, usesOldSelf } = compiled;
    if (fault !== undefined) this.errors.push(invalidValue(`${path}.rule`, rule, fault));
    if (messageFault !== undefined)
      this.errors.push(invalidValue(`${path}.messageExpression`, rule, messageFault));
    if (program) {
      const times = place.times ?? fitting(place.tree);
      const cost = estimate(program).max * times;
      this.#cost({ path: `${path}.rule`, rule: rule.rule, cost }, 'estimated rule cost');
    }
    if (message) {
      const { messageExpression: said = '' } = rule;
      const at = { path: `${path}.messageExpression`, rule: said, cost: estimate(message).max };
      this.#cost(at, 'estimated messageExpression cost');
    }
    if (usesOldSelf && place.uncorrelated !== undefined) {
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelated}`;
      this.errors.push(invalidValue(`${path}.rule`, rule.rule, why));
    } else if (program && !usesOldSelf && rule.optionalOldSelf !== undefined) {
      const why = 'may not be set if oldSelf is not used in rule';
      this.errors.push(invalidValue(`${path}.optionalOldSelf`, rule.optionalOldSelf, why));
    }
  }

  #cost(one: EstimatedRule, what: string): void {
    this.costs.push(one);
    if (one.cost > ESTIMATE_PER_RULE)
      this.errors.push(forbiddenField(one.path, tooExpensive(what, one.cost, ESTIMATE_PER_RULE)));
  }

  /** Errors of all rules together. */
  totalErrors(path: string): FieldError[] {
    const total = this.costs.reduce((sum, { cost }) => sum + cost, 0);
    if (total <= ESTIMATE_PER_DEFINITION) return [];
    const why =
      'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
    const most = this.costs
      .filter(({ cost }) => cost >= NAMED_SHARE * ESTIMATE_PER_DEFINITION)
      .toSorted((a, b) => b.cost - a.cost)
      .slice(0, NAMED_EXPENSIVE);
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    return [
      ...most.map((one) => forbiddenField(one.path, why)),
      forbiddenField(path, tooExpensive(what, total, ESTIMATE_PER_DEFINITION)),
    ];
  }
}

/** How many of them a request can hold. */
function fitting(tree: Structural): number {
  return Math.floor(REQUEST_BYTES / (leastBytes(tree) + 1));
}

function partsOf({ tree, path, times, uncorrelated }: Place): Place[] {
  const { properties, additional, items, listType, rules } = tree;
  const many = (most: number | undefined) =>
    times === undefined || most === undefined ? undefined : times * most;
  const parts: Place[] = [...properties].map(([name, part]) => ({
    tree: part,
    path: `${path}.properties[${name}]`,
    root: false,
    times,
    uncorrelated,
  }));
  if (additional !== undefined && additional !== 'any')
    parts.push({
      tree: additional,
      path: `${path}.additionalProperties`,
      root: false,
      times: many(rules.maxProperties),
      uncorrelated,
    });
  if (items)
    parts.push({
      tree: items,
      path: `${path}.items`,
      root: false,
      times: many(rules.maxItems),
      uncorrelated: uncorrelated ?? (listType === 'map' ? undefined : path),
    });
  return parts;
}

function tooExpensive(what: string, cost: number, limit: number): string {
  const times = cost / limit;
  const factor =
    times > 100 ? 'more than 100x' : `${times < 1.5 ? times.toFixed(6) : times.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

/** What is said around the expression itself. */
function wordingErrors(rule: ValidationRule, tree: Structural, path: string): FieldError[] {
  const { messageExpression = '', reason } = rule;
  const errors = textErrors(rule, path);
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(
      required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'),
    );
  if (reason !== undefined && !REASONS.includes(reason))
    errors.push(notSupported(`${path}.reason`, reason, REASONS));
  return [...errors, ...fieldPathErrors(rule, tree, `${path}.fieldPath`)];
}

function textErrors(rule: ValidationRule, path: string): FieldError[] {
  const { message = '' } = rule;
  const [expression, said] = [(rule.rule ?? '').trim(), message.trim()];
  const at = `${path}.message`;
  if (expression === '') return [required(`${path}.rule`, 'rule is not specified')];
  if (message !== '' && said === '')
    return [invalidValue(at, message, 'must be non-empty if specified')];
  if (LINE_BREAK.test(said)) return [invalidValue(at, message, 'must not contain line breaks')];
  if (LINE_BREAK.test(expression) && said === '')
    return [required(at, 'message must be specified if rule contains line breaks')];
  return [];
}

function fieldPathErrors({ fieldPath }: ValidationRule, tree: Structural, at: string) {
  if (fieldPath === undefined || fieldPath === '') return [];
  const errors: FieldError[] = [];
  if (fieldPath.trim() === '')
    errors.push(invalidValue(at, fieldPath, 'must be non-empty if specified'));
  if (LINE_BREAK.test(fieldPath))
    errors.push(invalidValue(at, fieldPath, 'must not contain line breaks'));
  try {
    fieldPathSteps(fieldPath, tree);
  } catch (error) {
    if (!(error instanceof FieldPathError)) throw error;
    errors.push(invalidValue(at, fieldPath, 'must be a valid path'));
  }
  return errors;
}
