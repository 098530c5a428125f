// Rules of single fields of a kubelet configuration. Pure.
// Invariant: a rule answers what a value must be, as the end of a sentence, or undefined when it is that.
import { tryParseDuration } from '../api/meta/duration.ts';
import { tryParseQuantity } from '../api/meta/quantity.ts';
import { isSignal, tryParseThreshold } from './eviction/signals.ts';

/** Tells what is wrong with a value. */
export type Rule = (value: unknown) => string | undefined;

/** True or false. */
export const flag: Rule = (value) =>
  typeof value === 'boolean' ? undefined : 'must be true or false';

/** A whole number within bounds, these included. */
export const integer =
  (least: number, most = 2 ** 31 - 1): Rule =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;

/** A Go duration of that many milliseconds at least, and at most. */
export const durationText =
  (leastMs: number, mostMs = Infinity): Rule =>
  (value) => {
    const ms = typeof value === 'string' ? tryParseDuration(value) : undefined;
    if (ms === undefined) return 'must be a duration, such as 30s or 1h30m';
    if (ms < leastMs || ms > mostMs)
      return mostMs === Infinity
        ? `must be ${leastMs / 1000}s or more`
        : `must be from ${leastMs / 1000}s to ${mostMs / 1000}s`;
    return undefined;
  };

/** An amount above zero. */
export const quantityText: Rule = (value) => {
  const quantity = typeof value === 'string' ? tryParseQuantity(value) : undefined;
  return quantity && quantity.nanos > 0n
    ? undefined
    : 'must be a quantity above zero, such as 10Mi';
};

/** Nothing, or what the rule says. */
export const optional =
  (rule: Rule): Rule =>
  (value) =>
    value === undefined || value === null ? undefined : rule(value);

/** A list of texts. */
export const texts =
  (pattern: RegExp, what: string): Rule =>
  (value) =>
    Array.isArray(value) && value.every((each) => typeof each === 'string' && pattern.test(each))
      ? undefined
      : `must be a list of ${what}`;

/** '' or a path from the root. */
export const systemPath: Rule = (value) =>
  typeof value === 'string' && (value === '' || value.startsWith('/'))
    ? undefined
    : 'must be a path from the root';

/** An object whose keys are known, and whose values each keep the rule. */
export const parts =
  (isKnown: (name: string) => boolean, rule: Rule): Rule =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return 'must be an object';
    for (const [name, part] of Object.entries(value)) {
      if (!isKnown(name)) return `has ${name}, which is not known here`;
      const problem = rule(part);
      if (problem !== undefined) return `has a ${name} that ${problem}`;
    }
    return undefined;
  };

/** Amounts, zero among them, by those names. */
export const amountMap = (names: readonly string[]): Rule =>
  parts(
    (name) => names.includes(name),
    (value) => {
      const quantity = typeof value === 'string' ? tryParseQuantity(value) : undefined;
      return quantity && quantity.nanos >= 0n ? undefined : 'must be a quantity, such as 500Mi';
    },
  );

/** Quantities or percentages by signal. */
export const thresholdMap: Rule = parts(isSignal, (value) =>
  typeof value === 'string' && tryParseThreshold(value)
    ? undefined
    : 'must be a quantity, such as 100Mi, or a percentage from 0% to 100%',
);
