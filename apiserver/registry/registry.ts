// The generic store of objects of any kind: create, read-modify-write, delete, over compare-and-set.
// Invariant: what is written was decided on the newest state of its key, pending writes included.
import { parseExactJson } from '../../base/exact-json.ts';
import type { ResourceDefinition, StoredForm } from '../../api/definition.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { KubeObject, LooseObject } from '../../api/meta/object.ts';
import { Turns } from '../../base/turns.ts';
import { alreadyExists, conflict, notFound, StatusError } from '../../api/status.ts';
import { sameEntries } from '../managedfields/owners.ts';
import { MAX_UPDATE_ATTEMPTS } from '../options.ts';
import { encodeObject } from '../storage/revision-gap.ts';
import { type CommitResult, StorageError, type Stored } from '../storage/storage.ts';
import { type ObjectStore, VisibleObject, type WrittenValue } from '../watch/object-store.ts';
import { MAX_KEPT_BYTES } from '../watch/visible-object.ts';
import { objectKey } from './keys.ts';
import { asDeleted, servedObject } from './served-objects.ts';

/** Which object. */
export interface At {
  readonly definition: ResourceDefinition;
  readonly namespace: string;
  readonly name: string;
}

/** What a change came to. */
export type Change =
  | { readonly kind: 'put'; readonly object: LooseObject }
  | { readonly kind: 'delete' }
  | { readonly kind: 'keep' };

/** The outcome of a write: the object as it is now, or as it was last. */
export interface Written {
  readonly kind: 'stored' | 'deleted' | 'kept';
  readonly stored: { readonly bytes: Uint8Array; object(): LooseObject };
}

type Committed = Extract<CommitResult, { kind: 'committed' }>;

/** A write of an object in the form that is stored. */
interface Put {
  readonly key: string;
  readonly expected: bigint | 'absent';
  readonly object: LooseObject;
}

/** Reads and writes objects. */
export class Registry {
  readonly #store: ObjectStore;
  readonly #turns = new Turns();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** The visible object. Throws NotFound. */
  get(at: At): VisibleObject {
    const { definition, namespace, name } = at;
    const found = this.#store.get(objectKey(definition.ref, namespace, name));
    if (!found) throw notFound(definition.ref, name);
    return found;
  }

  /** The visible object as its kind serves it. Throws NotFound, and what its form throws. */
  served(at: At): VisibleObject | Promise<VisibleObject> {
    return servedObject(at.definition, this.get(at));
  }

  /** Stores a new object; false when its name is taken. With dryRun nothing is stored. */
  async create(at: At, object: LooseObject, dryRun: boolean): Promise<Written | undefined> {
    const { definition, namespace, name } = at;
    const key = objectKey(definition.ref, namespace, name);
    const toStore = definition.form ? await definition.form.store(object) : object;
    if (dryRun) return this.#store.latest(key) ? undefined : drawn(object, 0n);
    const put: Put = { key, expected: 'absent', object: toStore };
    const result = await this.#put(definition, put);
    return result.kind === 'committed' ? this.#answer(definition, put, result) : undefined;
  }

  /** As create; throws AlreadyExists. */
  async createOrFail(at: At, object: LooseObject): Promise<Written> {
    const written = await this.create(at, object, false);
    if (!written) throw alreadyExists(at.definition.ref, at.name);
    return written;
  }

  /**
   * Changes an object. `change` gets a frozen copy of the newest state and may be called again when another writer was
   * first, unless it rests on a given revision. Throws NotFound, Conflict.
   */
  async update(
    at: At,
    change: (old: LooseObject, revision: bigint) => Change | Promise<Change>,
    options: { readonly dryRun: boolean },
  ): Promise<Written> {
    const { definition, namespace, name } = at;
    const key = objectKey(definition.ref, namespace, name);
    for (let attempt = 0; attempt < MAX_UPDATE_ATTEMPTS; attempt++) {
      const latest = this.#store.latest(key);
      if (!latest) throw notFound(definition.ref, name);
      const kept = this.#visible(latest);
      const visible = definition.form ? await servedObject(definition, kept) : kept;
      const old = visible.objectToReplace();
      const decided = await change(old, latest.revision);
      if (decided.kind === 'keep') return { kind: 'kept', stored: visible };
      if (decided.kind === 'delete') {
        if (options.dryRun) return { kind: 'deleted', stored: visible };
        const result = await this.#commit(key, latest.revision, 'delete');
        if (result.kind === 'conflict') continue;
        return definition.form
          ? { kind: 'deleted', stored: asDeleted(visible, result.revision) }
          : stored('deleted', result);
      }
      const { form } = definition;
      const object = form ? await form.store(decided.object) : decided.object;
      if (sameObject(form ? kept.object() : old, object)) return { kind: 'kept', stored: visible };
      if (options.dryRun) return drawn(decided.object, visible.revision);
      const put: Put = { key, expected: latest.revision, object };
      const result = await this.#put(definition, put);
      if (result.kind === 'committed') return this.#answer(definition, put, result);
    }
    throw conflict(definition.ref, name);
  }

  /**
   * As update, for objects that many write at once, such as counters: they wait for each other rather than give up. What
   * waits is bounded by the requests that are under way.
   */
  updateInTurn(
    at: At,
    change: (old: LooseObject, revision: bigint) => Change | Promise<Change>,
    options: { readonly dryRun: boolean },
  ): Promise<Written> {
    const key = objectKey(at.definition.ref, at.namespace, at.name);
    return this.#turns.take(key, () => this.update(at, change, options));
  }

  /** The visible object where it is the newest, so that its parsed form is shared. */
  #visible(latest: Stored): VisibleObject {
    const shown = this.#store.get(latest.key);
    return shown?.revision === latest.revision ? shown : new VisibleObject(latest);
  }

  /** An object that is too large with its owners is kept without them. */
  #put({ form }: ResourceDefinition, write: Put): Promise<CommitResult> {
    return form ? this.#putOf(form, write) : this.#putWhole(write);
  }

  async #putOf(form: StoredForm, write: Put): Promise<CommitResult> {
    const written = form.writing();
    let result: CommitResult | undefined;
    try {
      result = await this.#putWhole(write);
      return result;
    } finally {
      written(result?.kind === 'committed' ? result.revision : undefined);
    }
  }

  /** What a write answers: the object as its kind serves it. */
  async #answer(
    definition: ResourceDefinition,
    { key, object }: Put,
    result: Committed,
  ): Promise<Written> {
    const newest = this.#store.get(key);
    const shown = newest?.revision === result.revision ? newest : undefined;
    if (!definition.form) {
      // A large one need not be read off its bytes; a small one is not kept parsed with history because its writer looked at it.
      const isLarge = result.bytes.length > MAX_KEPT_BYTES;
      return shown && isLarge ? { kind: 'stored', stored: shown } : stored('stored', result);
    }
    const { revisionAt } = shown ?? encodeObject(object);
    const item = shown ?? new VisibleObject({ ...result, key, revisionAt });
    return { kind: 'stored', stored: await servedObject(definition, item) };
  }

  async #putWhole({ key, expected, object }: Put): Promise<CommitResult> {
    try {
      return await this.#commit(key, expected, encoded(object));
    } catch (error) {
      const { managedFields, ...metadata } = object.metadata;
      const tooLarge = error instanceof StatusError && error.reason === 'RequestEntityTooLarge';
      if (!tooLarge || managedFields === undefined) throw error;
      return await this.#commit(key, expected, encoded({ ...object, metadata }));
    }
  }

  async #commit(
    key: string,
    expected: bigint | 'absent',
    value: WrittenValue | 'delete',
  ): Promise<CommitResult> {
    try {
      return await this.#store.commit(key, expected, value);
    } catch (error) {
      throw error instanceof StorageError ? fromStorage(error) : error;
    }
  }
}

/** The bytes of an object; with it where reading it off them again would cost much. */
function encoded(object: LooseObject): WrittenValue {
  const value = encodeObject(object);
  return value.bytes.length > MAX_KEPT_BYTES ? { ...value, object } : value;
}

/** The one translation of storage's refusals. */
export function fromStorage(error: StorageError): StatusError {
  const cause = { cause: error };
  switch (error.reason) {
    case 'Expired':
      return new StatusError('Expired', error.message, cause);
    case 'TooLarge':
      return new StatusError('RequestEntityTooLarge', error.message, cause);
    case 'ReadOnly':
    case 'Unavailable':
      return new StatusError('ServiceUnavailable', error.message, {
        ...cause,
        details: { retryAfterSeconds: 1 },
      });
  }
}

function stored(kind: 'stored' | 'deleted', result: Committed): Written {
  const parsed = () => parseExactJson(Buffer.from(result.bytes).toString()) as LooseObject;
  let object: LooseObject | undefined;
  return { kind, stored: { bytes: result.bytes, object: () => (object ??= parsed()) } };
}

/** What a dry run answers: the object as it would be, with the revision it rests on. */
function drawn(object: LooseObject, revision: bigint): Written {
  const metadata = { ...object.metadata };
  if (revision > 0n) metadata.resourceVersion = String(revision);
  const shown = { ...object, metadata };
  const bytes = Buffer.from(JSON.stringify(shown));
  return { kind: 'stored', stored: { bytes, object: () => shown } };
}

/** The time of an owner's write is no change by itself. */
function sameObject(a: KubeObject, b: KubeObject): boolean {
  const bare = (object: KubeObject) => {
    const { resourceVersion: _r, managedFields: _m, ...metadata } = object.metadata;
    return { ...object, metadata };
  };
  return (
    deepEqual(bare(a), bare(b)) && sameEntries(a.metadata.managedFields, b.metadata.managedFields)
  );
}
