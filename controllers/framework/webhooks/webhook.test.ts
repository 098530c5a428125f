// Webhooks as they are written: their types follow from the kind, and what cannot be is refused where it is made.
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ConfigMap } from '../../../api/generated/types.ts';
import { ConfigMaps, Pods } from '../../../api/kinds.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { silentLogger } from '../../../base/logger.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { allow } from './admission.ts';
import { converting } from './conversion.ts';
import { ReviewDesk } from './review-desk.ts';
import { mutating, validating } from './webhook.ts';

const clock = new VirtualClock();

describe('types', () => {
  it('follow from the kind and the operations', () => {
    validating(ConfigMaps, {
      admit({ object, oldObject, operation }) {
        expectTypeOf(object).toEqualTypeOf<ConfigMap>();
        expectTypeOf(oldObject).toEqualTypeOf<ConfigMap | undefined>();
        expectTypeOf(operation).toEqualTypeOf<'CREATE' | 'UPDATE'>();
        return allow();
      },
    });
    validating(ConfigMaps, {
      operations: ['DELETE'],
      admit({ object, oldObject }) {
        expectTypeOf(object).toEqualTypeOf<undefined>();
        expectTypeOf(oldObject).toEqualTypeOf<ConfigMap>();
        return allow();
      },
    });
    validating(Pods, {
      operations: ['CREATE'],
      subresource: 'eviction',
      admit({ object }) {
        expectTypeOf(object).toEqualTypeOf<LooseObject>();
        return allow();
      },
    });
    // @ts-expect-error a validating webhook has to answer
    validating(ConfigMaps, { admit: () => undefined });
    // @ts-expect-error and changes nothing
    validating(ConfigMaps, { admit: ({ object }) => object });
    // @ts-expect-error what goes cannot be changed
    mutating(ConfigMaps, { operations: ['DELETE'], admit: () => undefined });
    // @ts-expect-error a part is no object
    mutating(ConfigMaps, { admit: () => ({ metadata: {} }) });
    mutating(ConfigMaps, { admit: ({ object }) => ({ ...object, data: {} }) });
  });
});

describe('a webhook that cannot be', () => {
  const admit = () => allow();
  const CASES: readonly (readonly [string, () => unknown, string])[] = [
    ['a short name', () => validating(Pods, { name: 'a.b', admit }), 'no DNS name of three labels'],
    ['no function', () => validating(Pods, {} as never), 'has no function admit(request)'],
    ['no operations', () => validating(Pods, { operations: [], admit }), 'names no operations'],
    ['no time', () => validating(Pods, { timeoutSeconds: 0, admit }), 'give 1 to 30'],
    ['too much time', () => mutating(Pods, { timeoutSeconds: 31, admit }), 'give 1 to 30'],
    ['no steps', () => converting(Pods, {}), 'has no converters'],
    ['a step to itself', () => converting(Pods, { 'v1→v1': () => ({}) }), 'is none'],
    ['a step to nowhere', () => converting(Pods, { 'v1→': () => ({}) }), 'is none'],
  ];
  for (const [what, make, words] of CASES)
    it(`is refused where it is made: ${what}`, () => {
      expect(make).toThrow(TypeError);
      expect(make).toThrow(words);
    });

  it('is refused beside another of its name', () => {
    const twice = [validating(Pods, { admit }), validating(Pods, { admit })];
    expect(() => new ReviewDesk(twice, { clock, logger: silentLogger })).toThrow(
      'two webhooks are called validate.pods.core: give one another name',
    );
  });
});
