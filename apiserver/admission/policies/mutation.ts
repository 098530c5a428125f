// What the value of a mutation's expression makes of an object: an apply configuration merged in, or a JSON patch.
// Invariant: pure; the object is not changed. What does not fit is a MutationError, in upstream's words.
import { checkObjectNames } from '../../../api/admissionregistration/object-literals.ts';
import { CelError } from '../../../api/cel/cel-error.ts';
import { jsonOf } from '../../../api/cel/json-of.ts';
import type { Meter } from '../../../api/cel/meter.ts';
import { type CelValue, type ListValue, ObjectValue } from '../../../api/cel/values.ts';
import { misfitMessage, misfitsOf } from '../../../api/fieldset/check-config.ts';
import { FieldSetError } from '../../../api/fieldset/field-set-error.ts';
import { merge } from '../../../api/fieldset/merge.ts';
import type { MergeType } from '../../../api/fieldset/merge-type.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { StatusError } from '../../../api/status.ts';
import { applyJsonPatch, isFailedTest } from '../../patch/json-patch.ts';
import { structuredCopy } from '../../registry/preparation.ts';
import { atomicsIn } from './atomics.ts';

/** A mutation that cannot be made. */
export class MutationError extends Error {
  override readonly name = 'MutationError';
}

/** What is mutated. */
export interface Mutated {
  readonly object: LooseObject;
  /** Undefined for what has no schema, such as the options of a connection. */
  readonly type: MergeType | undefined;
  /** Pays for reading the value. */
  readonly meter: Meter;
}

/** The object as the value of an expression of patchType ApplyConfiguration has it. Throws MutationError, CostExceeded. */
export function appliedTo({ object, type, meter }: Mutated, value: CelValue): LooseObject {
  const config = told('type mismatch', () => {
    checkObjectNames(value);
    return jsonOf(value, meter) as object;
  });
  if (type === undefined) throw new MutationError(`${object.kind} takes no apply configurations`);
  const { apiVersion, kind } = object;
  const whole = { ...config, apiVersion, kind };
  const misfits = misfitsOf(type, whole);
  if (misfits.length > 0) {
    const why = `failed to convert patch object to typed object: ${misfitMessage(misfits)}`;
    throw new MutationError(`error applying patch: ${why}`);
  }
  const atomics = atomicsIn(type, whole);
  if (atomics.length > 0) {
    const why = `may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`;
    throw new MutationError(`error applying patch: invalid ApplyConfiguration: ${why}`);
  }
  return told('error applying patch', () =>
    structuredCopy(merge(type, object, whole) as LooseObject),
  );
}

/** The object as the value of an expression of patchType JSONPatch has it; as it was where a test of the patch fails. Throws MutationError, CostExceeded. */
export function patched({ object, meter }: Mutated, value: CelValue): LooseObject {
  const operations = told('type mismatch', () => {
    const list = value as ListValue;
    return Array.from({ length: list.size }, (_, i) => operationOf(list.at(i), meter));
  });
  return told('JSONPath', () => {
    try {
      return applyJsonPatch(object, operations) as LooseObject;
    } catch (error) {
      // Tests of a patch say whether it is to be made at all.
      if (error instanceof StatusError && isFailedTest(error)) return object;
      throw error;
    }
  });
}

const FIELDS = ['op', 'path', 'from', 'value'] as const;

function operationOf(item: CelValue | undefined, meter: Meter): object {
  if (!(item instanceof ObjectValue)) throw new CelError('expected a JSONPatch');
  const value = item.get('value');
  if (value instanceof ObjectValue) checkObjectNames(value, value.typeName);
  const entries = FIELDS.flatMap((name) => {
    const part = item.get(name);
    return part === undefined ? [] : [[name, jsonOf(part, meter)] as const];
  });
  return Object.fromEntries(entries);
}

/** What goes wrong within, as a MutationError. */
function told<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const known =
      error instanceof CelError || error instanceof FieldSetError || error instanceof StatusError;
    throw known ? new MutationError(`${what}: ${error.message}`) : error;
  }
}
