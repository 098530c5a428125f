// How the expressions of a policy are asked: variables once, one budget for all, and every sort of failure told apart.
import { describe, expect, it } from 'vitest';
import {
  conditionExpressions,
  validatingExpressions,
} from '../../../api/admissionregistration/policy-expressions.ts';
import { celValue } from '../../../api/cel/json-values.ts';
import { costBudget } from '../../../api/cel/meter.ts';
import { ListValue } from '../../../api/cel/values.ts';
import { askConditions, Evaluation, OutOfBudget } from './evaluation.ts';

const compiled = (rules: string[], variables: Readonly<Record<string, string>> = {}) =>
  validatingExpressions({
    variables: Object.entries(variables).map(([name, expression]) => ({ name, expression })),
    validations: rules.map((expression) => ({ expression })),
  });

const OBJECT = { object: celValue({ a: 1, items: [1, 2, 3] }) };

/** What each rule comes to: its value, or `sort: message`. */
function answers(rules: string[], variables: Readonly<Record<string, string>> = {}) {
  const { validations, variables: own } = compiled(rules, variables);
  const evaluation = new Evaluation(OBJECT, own);
  return validations.map(({ rule }) => {
    const answer = evaluation.answer(rule.compiled);
    return answer.kind === 'value' ? answer.value : `${answer.sort}: ${answer.message}`;
  });
}

/** A list that counts how often it is looked at. */
class Watched extends ListValue {
  looks = 0;
  get size(): number {
    this.looks += 1;
    return 1;
  }
  at(): bigint {
    return 1n;
  }
}

describe('expressions', () => {
  it('give values, or say why not', () => {
    expect(answers(['object.a == 1', 'object.b == 1', 'object.(', '1'])).toEqual([
      true,
      "invalid_error: expression 'object.b == 1' resulted in error: no such key: b",
      expect.stringMatching(/^compile_error: compilation error: compilation failed: ERROR/),
      'compile_error: compilation error: must evaluate to bool but got int',
    ]);
  });

  it('that use variables say whose fault it was', () => {
    const variables = { good: 'object.a', bad: 'object.b', worse: 'object.(' };
    const rules = ['variables.good == 1', 'variables.bad == 1', 'variables.worse == 1'];
    expect(answers(rules, variables)).toEqual([
      true,
      expect.stringContaining(`composited variable "bad" fails to evaluate: no such key: b`),
      expect.stringContaining('composited variable "worse" fails to compile: compilation failed'),
    ]);
  });

  it('work a variable out once, however often it is named', () => {
    const object = new Watched();
    const { validations, variables } = compiled(
      ['variables.size == 1', 'variables.size + variables.size == 2'],
      { size: 'size(object)' },
    );
    const evaluation = new Evaluation({ object }, variables);
    const [first, second] = validations.map(({ rule }) => rule.compiled);
    expect(evaluation.answer(first!)).toMatchObject({ value: true });
    const { looks } = object;
    expect(looks).toBeGreaterThan(0);
    expect(evaluation.answer(second!)).toMatchObject({ value: true });
    expect(object.looks).toBe(looks);
  });
});

describe('the budget', () => {
  const ten = '[1,2,3,4,5,6,7,8,9,10]';
  const loops = `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, true)))`;

  it('is shared by expressions and by the variables that they name', () => {
    const { validations, variables } = compiled(['variables.costly', 'true'], { costly: loops });
    const budget = costBudget(100_000);
    const evaluation = new Evaluation(OBJECT, variables, budget);
    evaluation.answer(validations[0]!.rule.compiled);
    const spent = 100_000 - budget.remaining;
    expect(spent).toBeGreaterThan(1000);
    evaluation.answer(validations[0]!.rule.compiled);
    expect(100_000 - budget.remaining).toBeLessThan(spent + 10);
  });

  it('ends all of it when it is spent, in a variable and under an or as well', () => {
    const { validations, variables } = compiled(
      ['true || variables.costly', 'variables.costly || true'],
      {
        costly: loops,
      },
    );
    const evaluation = new Evaluation(OBJECT, variables, costBudget(1000));
    expect(evaluation.answer(validations[0]!.rule.compiled)).toMatchObject({ value: true });
    expect(() => evaluation.answer(validations[1]!.rule.compiled)).toThrow(OutOfBudget);
  });
});

describe('match conditions', () => {
  const ask = (...expressions: string[]) =>
    askConditions(
      conditionExpressions(
        expressions.map((expression, i) => ({ name: `c${i}`, expression })),
        'matchConditions',
      ),
      OBJECT,
    );

  it.each<[string, string[], string]>([
    ['none hold', [], 'matched'],
    ['all hold', ['object.a == 1', 'true'], 'matched'],
    ['one does not', ['true', 'object.a == 2'], 'unmatched'],
    ['one does not, and one cannot be told', ['object.b == 1', 'false'], 'unmatched'],
    ['one cannot be told', ['true', 'object.b == 1'], 'error'],
  ])('where %s', (_, expressions, kind) => {
    expect(ask(...expressions).kind).toBe(kind);
  });

  it('tell every error once', () => {
    expect(ask('object.b == 1', 'object.c == 1', 'object.b == 1')).toMatchObject({
      message:
        "[expression 'object.b == 1' resulted in error: no such key: b, expression 'object.c == 1' resulted in error: no such key: c]",
    });
  });

  it('have a budget of their own', () => {
    const ten = '[1,2,3,4,5,6,7,8,9,10]';
    const loops = `${ten}.all(a, ${ten}.all(b, ${ten}.all(c, ${ten}.all(d, true))))`;
    const asked = ask(...Array.from({ length: 64 }, () => `${loops} && ${loops}`));
    expect(asked).toMatchObject({ kind: 'error', sort: 'out_of_budget' });
  });
});
