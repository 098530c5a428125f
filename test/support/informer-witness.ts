// Somebody who follows an informer and holds it to its word: a view of its own made from what handlers are told alone.
// Invariant: a view is a fold of events; whatever does not fit (an add of what is there, an update from another state, a step
// back) is written down, not passed over.
import { breathe } from '../../base/breathe.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Informer } from '../../client/informer/informer.ts';

/** Faults that are written down at most. */
const MAX_FAULTS = 20;

const revisionOf = ({ metadata }: KubeObject): number => Number(metadata.resourceVersion);

/** One view. */
export class InformerWitness {
  readonly view = new Map<string, KubeObject>();
  readonly faults: string[] = [];
  /** Events told so far. */
  told = 0;

  /** `slow`: it takes a turn of the event loop for each event, and so is told of the newest only. */
  constructor(informer: Informer<KubeObject>, { slow = false }: { slow?: boolean } = {}) {
    const answer = () => {
      this.told++;
      return slow ? breathe() : undefined;
    };
    informer.subscribe({
      onAdd: (object) => {
        if (this.view.has(keyOf(object))) this.#fault('added twice', object);
        this.view.set(keyOf(object), object);
        return answer();
      },
      onUpdate: (object, old) => {
        if (this.view.get(keyOf(object)) !== old) this.#fault('updated from another', object);
        if (revisionOf(object) <= revisionOf(old)) this.#fault('gone back', object);
        this.view.set(keyOf(object), object);
        return answer();
      },
      onDelete: (object) => {
        if (!this.view.delete(keyOf(object))) this.#fault('deleted twice', object);
        return answer();
      },
    });
  }

  #fault(what: string, object: KubeObject): void {
    if (this.faults.length < MAX_FAULTS)
      this.faults.push(`${what}: ${keyOf(object)}@${object.metadata.resourceVersion}`);
  }
}
