// How many ready pods each owner has, wherever they run: what loads that are shared among pods depend on.
// Invariant: kept from the pods' events, so that asking costs nothing however many pods there are.
import type { Pod } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Client } from '../../client/rest/client.ts';

/** What it needs. */
export interface PodCensusOptions {
  /** May read the pods of all namespaces. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The count. Nothing is read before the first question. */
export class PodCensus {
  readonly #options: PodCensusOptions;
  readonly #ready = new Map<string, number>();
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: PodCensusOptions) {
    this.#options = options;
  }

  /** Ready pods with the pod's owner, the pod itself counted whatever it says: at least 1. */
  readyBeside(pod: Pod): number {
    this.#running ??= this.#run();
    const owner = ownerOf(pod);
    return Math.max(1, this.#ready.get(owner ?? '') ?? 1);
  }

  /** Ends it; resolves when it has. */
  async close(): Promise<void> {
    this.#ending.abort(new Error('the census is over'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const informers = createInformerFactory(this.#options);
    informers.informer(Pods).subscribe({
      onAdd: (pod) => this.#count(pod, 1),
      onUpdate: (pod, old) => {
        this.#count(old, -1);
        this.#count(pod, 1);
      },
      onDelete: (pod) => this.#count(pod, -1),
    });
    informers.start(this.#ending.signal);
    await informers.finished();
  }

  #count(pod: Pod, by: number): void {
    const owner = ownerOf(pod);
    if (!owner || !isConditionTrue(pod.status?.conditions, 'Ready')) return;
    const now = (this.#ready.get(owner) ?? 0) + by;
    if (now > 0) this.#ready.set(owner, now);
    else this.#ready.delete(owner);
  }
}

const ownerOf = ({ metadata }: Pod): string | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
