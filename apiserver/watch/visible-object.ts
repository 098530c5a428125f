// An object as readers see it: its bytes, and the same as a value that is parsed once while anybody holds it.
// Invariant: the value is deeply frozen, since every reader in the process shares it. That of a large object is not kept for
// its own sake: it takes several times its bytes, and definitions of custom resources come in hundreds.
import { parseExactJson } from '../../base/exact-json.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Stored } from '../storage/storage.ts';

/** The value of an object of more bytes, and the lines that watches have of it, go when the last reader is done with them. */
export const MAX_KEPT_BYTES = 16 * 1024;

/** A durable, visible state of a key. */
export class VisibleObject implements Stored {
  readonly key: string;
  readonly revision: bigint;
  readonly bytes: Uint8Array;
  readonly revisionAt: number;
  #kept: LooseObject | undefined;
  #lent: WeakRef<LooseObject> | undefined;

  /** `written` is what a writer made the bytes of, which is then its readers': it is frozen, and not read off the bytes again. */
  constructor(stored: Stored, written?: LooseObject) {
    this.key = stored.key;
    this.revision = stored.revision;
    this.bytes = stored.bytes;
    this.revisionAt = stored.revisionAt;
    if (written && freezeJson(written)) this.#lent = new WeakRef(revised(written, stored.revision));
  }

  /** The object, parsed when nobody holds it yet, and frozen; to change it, build a new one. */
  object(): LooseObject {
    const held = this.#kept ?? this.#lent?.deref();
    if (held) return held;
    const parsed = parseFrozen(this.bytes);
    if (this.bytes.length > MAX_KEPT_BYTES) this.#lent = new WeakRef(parsed);
    else this.#kept = parsed;
    return parsed;
  }

  /**
   * As `object`, for a writer that is about to put another state in the place of this one: a small value that nobody has read
   * is not kept for it. History would hold it beside its bytes, which are a tenth of it, until its own end.
   */
  objectToReplace(): LooseObject {
    const large = this.bytes.length > MAX_KEPT_BYTES;
    return large || this.#kept ? this.object() : parseFrozen(this.bytes);
  }
}

/** The bytes as a deeply frozen object. */
export function parseFrozen(bytes: Uint8Array): LooseObject {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return deepFreeze(parseExactJson(buffer.toString('utf8')) as LooseObject);
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

/**
 * As deepFreeze, of what a program made: false where reading its JSON would give something else. What is frozen already
 * is somebody's value of JSON.
 */
function freezeJson(value: object): boolean {
  if (Object.isFrozen(value)) return true;
  const parts = value as Readonly<Record<string, unknown>>;
  for (const key in parts) {
    const part = parts[key];
    if (typeof part === 'object' && part !== null) {
      if (key !== FIELD_SET && !freezeJson(part)) return false;
    } else if (!isJson(part)) return false;
  }
  Object.freeze(value);
  return true;
}

/** Is a value without parts in JSON as it is here? */
function isJson(value: unknown): boolean {
  return typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value === 'string' || typeof value === 'boolean' || value === null;
}

/** The object as its bytes have it, at a revision. */
function revised(object: LooseObject, revision: bigint): LooseObject {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _before, ...meta } = metadata;
  const now = Object.freeze({ resourceVersion: String(revision), ...meta });
  return Object.freeze({ kind, apiVersion, metadata: now, ...rest }) as LooseObject;
}

/** A change, as watchers see it. `value` of a delete is the last state with the deletion's revision. */
export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: bigint;
  readonly value: VisibleObject;
  readonly previous: VisibleObject | undefined;
}
