// What a new definition would make of objects that are stored: which would be invalid, which would lose fields.
// Invariant: pure; an object that is wrong by the old schema already is not blamed on the new one.
import type { FieldError } from '../../../api/field-error.ts';
import type { CustomResourceDefinition } from '../../../api/generated/types.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { StatusError } from '../../../api/status.ts';
import { rulesByVersion } from './kind-rules.ts';
import type { Kind } from './kind.ts';

/** What becomes of one object. */
export interface StoredObjectFinding {
  readonly object: KubeObject;
  /** Rules that it would break; its next change would be refused where it touches them. */
  readonly errors: readonly FieldError[];
  /** Fields that would be dropped when it is read or written. */
  readonly lost: readonly string[];
}

/** Judges objects that the server serves by `old`, one by one. */
export function storedObjectCheck<T extends KubeObject, W>(
  kind: Kind<T, W>,
  old: CustomResourceDefinition,
): (object: KubeObject) => StoredObjectFinding | undefined {
  const before = rulesByVersion(old, old.spec.versions[0]?.name ?? '');
  return (object) => {
    const was = before.about(object);
    const now = judged(kind, object);
    const known = new Set(was.errors(object).map(textOf));
    const lostBefore = new Set(was.unknownFields(object));
    const errors = now.errors.filter((error) => !known.has(textOf(error)));
    const lost = now.lost.filter((path) => !lostBefore.has(path));
    return errors.length + lost.length === 0 ? undefined : { object, errors, lost };
  };
}

const textOf = ({ field, message }: FieldError): string => `${field}: ${message}`;

/** By the schema of its own version, and, where that is another, by that of the version it will be stored in. */
function judged<T extends KubeObject, W>(kind: Kind<T, W>, object: KubeObject) {
  const own = kind.validate(object);
  const lost = kind.unknownFields(object);
  if (own.length > 0) return { errors: own, lost };
  try {
    return { errors: kind.validate(kind.convert(object, kind.storageVersion)), lost };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { errors: own, lost };
  }
}
