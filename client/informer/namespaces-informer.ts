// Several namespaces seen as one informer, over an informer each.
// Invariant: holds nothing of its own; what the parts share with others stays shared.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { DeletedObject, Informer, InformerHandler, SubscribeOptions } from './informer.ts';

/** The parts as one. A handler that answers promises may be told by several parts at once, never twice at once of one object. */
export class NamespacesInformer<T extends KubeObject> implements Informer<T> {
  readonly ref: KindRef;
  readonly #parts: readonly Informer<T>[];

  constructor(ref: KindRef, parts: readonly Informer<T>[]) {
    this.ref = ref;
    this.#parts = parts;
  }

  get(key: string): T | undefined {
    for (const part of this.#parts) {
      const object = part.get(key);
      if (object) return object;
    }
    return undefined;
  }

  list(namespace?: string): T[] {
    return this.#parts.flatMap((part) => part.list(namespace));
  }

  addIndex(name: string, values: (object: T) => readonly string[]): void {
    for (const part of this.#parts) part.addIndex(name, values);
  }

  byIndex(name: string, value: string): T[] {
    return this.#parts.flatMap((part) => part.byIndex(name, value));
  }

  subscribe(handler: InformerHandler<T>, options?: SubscribeOptions): () => void {
    const leave = this.#parts.map((part) => part.subscribe(handler, options));
    return () => {
      for (const each of leave) each();
    };
  }

  get hasSynced(): boolean {
    return this.#parts.every((part) => part.hasSynced);
  }

  async synced(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.synced(signal)));
  }

  observeWrite(object: T): void {
    for (const part of this.#parts) part.observeWrite(object);
  }

  observeDelete(object: DeletedObject): void {
    for (const part of this.#parts) part.observeDelete(object);
  }
}
