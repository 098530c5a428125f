// An object as readers see it: its bytes, and the same as a value that is parsed at most once.
// Invariant: the value is deeply frozen, since every reader in the process shares it.
import type { LooseObject } from '../../api/meta/object.ts';
import type { Stored } from '../storage/storage.ts';

/** A durable, visible state of a key. */
export class VisibleObject implements Stored {
  readonly key: string;
  readonly revision: bigint;
  readonly bytes: Uint8Array;
  readonly revisionAt: number;
  #object: LooseObject | undefined;

  constructor(stored: Stored) {
    this.key = stored.key;
    this.revision = stored.revision;
    this.bytes = stored.bytes;
    this.revisionAt = stored.revisionAt;
  }

  /** The object, parsed at the first call and frozen; to change it, build a new one. */
  object(): LooseObject {
    this.#object ??= parseFrozen(this.bytes);
    return this.#object;
  }
}

/** The bytes as a deeply frozen object. */
export function parseFrozen(bytes: Uint8Array): LooseObject {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return deepFreeze(JSON.parse(buffer.toString('utf8')) as LooseObject);
}

/**
 * Freezes a JSON value and everything in it, but for what is inside field sets: nobody but the server reads those, they
 * are as large as the object, and freezing them costs more than all the rest.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  // Every object that is read passes here: only what is an object itself is called for, which makes it several times faster.
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (typeof item === 'object') deepFreeze(item);
  } else {
    for (const key in value) {
      const part = value[key];
      if (typeof part === 'object' && key !== FIELD_SET) deepFreeze(part);
    }
  }
  return Object.freeze(value);
}

const FIELD_SET = 'fieldsV1';

/** A change, as watchers see it. `value` of a delete is the last state with the deletion's revision. */
export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: bigint;
  readonly value: VisibleObject;
  readonly previous: VisibleObject | undefined;
}
