// PriorityClasses: defaults, rules, cells.
import { describe, expect, it } from 'vitest';
import { cells } from '../../test/support/kind-rules.ts';
import type { PriorityClass } from '../generated/types.ts';
import { priorityClassDefinition as definition, systemPriorityClasses } from './priority-class.ts';

function aClass(more: Partial<PriorityClass> = {}): PriorityClass {
  const made: PriorityClass = {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
    ...more,
  };
  definition.defaults?.(made);
  return made;
}

const errors = (made: PriorityClass, old?: PriorityClass) =>
  definition.validate?.(made, old).map(({ field, type, message }) => [field, type, message]);

describe('PriorityClasses', () => {
  it('push out others unless they say otherwise', () => {
    expect(aClass().preemptionPolicy).toBe('PreemptLowerPriority');
    expect(errors(aClass())).toEqual([]);
    expect(errors(aClass({ value: -5, preemptionPolicy: 'Never' }))).toEqual([]);
  });

  it.each<[string, Partial<PriorityClass>, string, string, RegExp]>([
    [
      'a number of the system',
      { value: 1_000_000_001 },
      'value',
      'FieldValueForbidden',
      /maximum allowed value of a user defined priority is 1000000000/,
    ],
    [
      'a policy that is none',
      { preemptionPolicy: 'Maybe' },
      'preemptionPolicy',
      'FieldValueNotSupported',
      /"Never", "PreemptLowerPriority"/,
    ],
    [
      'a name of the system',
      { metadata: { name: 'system-mine' } },
      'metadata.name',
      'FieldValueForbidden',
      /system-mine is not a known system priority class/,
    ],
    [
      'another number for a class of the system',
      { metadata: { name: 'system-node-critical' } },
      'metadata.name',
      'FieldValueForbidden',
      /value of system-node-critical PriorityClass must be 2000001000/,
    ],
  ])('refuse %s', (...[, more, field, type, message]) => {
    expect(errors(aClass(more))).toEqual([[field, type, expect.stringMatching(message)]]);
  });

  it('keep their number and their policy', () => {
    expect(errors(aClass({ value: 1, preemptionPolicy: 'Never' }), aClass())).toEqual([
      ['value', 'FieldValueForbidden', 'Forbidden: may not be changed in an update.'],
      ['preemptionPolicy', 'FieldValueInvalid', expect.stringContaining('field is immutable')],
    ]);
    expect(errors(aClass({ globalDefault: true, description: 'x' }), aClass())).toEqual([]);
  });

  it('of the system keep their own rules', () => {
    for (const one of systemPriorityClasses) expect(errors(aClass(one))).toEqual([]);
  });

  it('show their number, and whether they are the default', () => {
    expect(cells(definition, aClass())).toMatchObject({
      Name: 'high',
      Value: 1000,
      'Global-Default': false,
      PreemptionPolicy: 'PreemptLowerPriority',
    });
  });
});
