// All pods of the node: one worker each, made and ended as the API's list of them says.
// Invariants: a pod is known by its uid, so that a namesake never inherits a container; nothing is removed as an orphan
// before the API's list is in.
import type { Pod } from '../../api/generated/types.ts';
import type { Informer } from '../../client/informer/informer.ts';
import { CONFIG_SOURCE, isMirrorPod, isStaticPod } from '../eviction/critical-pods.ts';
import { RELIST_MS } from '../options.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import { removeOrphans } from './orphans.ts';
import { syncedWithin } from '../volumes/synced-within.ts';
import type { PodCheckpoints } from './pod-checkpoints.ts';
import type { Verdict } from './pod-status.ts';
import { PodWorker } from './pod-worker.ts';
import { listAll, Relist } from './relist.ts';
import type { WorkerParts } from './worker-parts.ts';

/** A pod as the node has it. */
export interface KnownPod {
  readonly pod: Pod;
  /** Its address while it has a sandbox. */
  readonly podIp: string | undefined;
  readonly containers: ReadonlyMap<string, readonly ContainerStatus[]>;
}

/** The workers of a node. */
export class PodManager {
  readonly #parts: WorkerParts;
  readonly #informer: Informer<Pod>;
  readonly #workers = new Map<string, PodWorker>();
  readonly #checkpoints: PodCheckpoints;
  readonly #relist = new Relist();

  /** Workers call back through `parts.gone`, which must lead to `forget`. */
  constructor(parts: WorkerParts, informer: Informer<Pod>) {
    this.#parts = parts;
    this.#informer = informer;
    this.#checkpoints = parts.options.host.checkpoints;
  }

  /** Takes on pods until the agent ends. Rejects never. */
  async run(): Promise<void> {
    const { ending, options } = this.#parts;
    const unsubscribe = this.#informer.subscribe({
      onAdd: (pod) => this.#fromApi(pod),
      onUpdate: (pod, old) => {
        if (pod.metadata.uid !== old.metadata.uid) this.#drop(old);
        this.#fromApi(pod);
      },
      onDelete: (pod) => this.#drop(pod),
    });
    options.runtime.subscribe((event) => this.#workers.get(event.podUid)?.kick(), ending);
    await this.#firstList();
    // All workers have just begun: there is nothing yet that they may have missed.
    await this.#look({ kicks: false });
    while (!ending.aborted) {
      await options.clock.sleep(options.relistMs ?? RELIST_MS, ending).catch(() => undefined);
      await this.#look({ kicks: true });
    }
    unsubscribe();
    await Promise.all(Array.from(this.#workers.values(), (worker) => worker.idle()));
  }

  /** Waits for the API's list; meanwhile pods are looked after as they were last known. */
  async #firstList(): Promise<void> {
    const { ending, options } = this.#parts;
    const synced = this.#informer.synced(ending);
    synced.catch(() => undefined);
    await syncedWithin(this.#informer, options.clock, ending).catch(() => false);
    if (this.#informer.hasSynced || ending.aborted) return;
    for (const pod of this.#checkpoints.load()) this.#take(pod);
    await synced.catch(() => undefined);
    if (ending.aborted) return;
    const uids = new Set(this.#informer.list().map((pod) => pod.metadata.uid));
    for (const [uid, worker] of this.#workers)
      if (!uids.has(uid) && !isStaticPod(worker.pod)) worker.remove();
  }

  /** Takes on a pod of a file. */
  takeStatic(pod: Pod): void {
    this.#take(pod);
  }

  /** Ends a pod of a file, for good; `parts.gone` follows, at once where there is none. */
  dropStatic(podUid: string): void {
    const worker = this.#workers.get(podUid);
    if (worker) worker.remove();
    else this.#parts.gone(podUid);
  }

  /** The pod is over. */
  forget(podUid: string): void {
    this.#checkpoints.forget(podUid);
    this.#workers.delete(podUid);
    this.#parts.statuses.forget(podUid);
    this.roomFreed();
  }

  /** Those that wait to become larger look again. */
  roomFreed(): void {
    for (const worker of this.#workers.values()) if (worker.resizer.waits) worker.kick();
  }

  /** Pods that take room on the node, but for one. */
  takingRoom(exceptUid: string | undefined): Pod[] {
    return [...this.#workers.values()]
      .filter((worker) => worker.takesRoom && worker.pod.metadata.uid !== exceptUid)
      .map((worker) => worker.pod);
  }

  /** Pods that have not come to their end. */
  active(): Pod[] {
    return [...this.#workers.values()].filter((worker) => !worker.isOver).map(({ pod }) => pod);
  }

  /** Ends a pod as PodWorker.end does; at once where there is none of that uid. */
  end(podUid: string, verdict: Verdict, graceMs?: number): Promise<void> {
    return this.#workers.get(podUid)?.end(verdict, graceMs) ?? Promise.resolve();
  }

  /** Pods with the newest status that this node has of them. */
  list(): Pod[] {
    return Array.from(this.#workers.values(), (worker) => this.#shown(worker.pod));
  }

  /** The pod of that name; the newest, when one is leaving and its namesake has come. */
  find(namespace: string, name: string): KnownPod | undefined {
    const worker = [...this.#workers.values()].findLast(
      ({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name,
    );
    if (!worker) return undefined;
    const { state, sandbox } = worker;
    const podIp = state.sandbox?.state === 'ready' ? sandbox.podIp : undefined;
    return { pod: this.#shown(worker.pod), podIp, containers: state.containers };
  }

  /** The pod with that uid. */
  get(podUid: string): Pod | undefined {
    return this.#workers.get(podUid)?.pod;
  }

  #shown(pod: Pod): Pod {
    const status = this.#parts.statuses.of(pod.metadata.uid ?? '');
    return status ? { ...pod, status: { ...pod.status, ...status } } : pod;
  }

  /** The API's copy of a static pod is no pod to run, and none of the API's says where it came from. */
  #fromApi(pod: Pod): void {
    if (isMirrorPod(pod)) this.#parts.mirrored(pod);
    else this.#take(isStaticPod(pod) ? withSource(pod, 'api') : pod);
  }

  #take(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const known = this.#workers.get(uid);
    const worker = known ?? new PodWorker(this.#parts, pod);
    this.#workers.set(uid, worker);
    try {
      // Its file is what a static pod is found again by.
      if (!isStaticPod(pod)) this.#checkpoints.save(pod);
    } catch (error) {
      this.#parts.options.logger.warn('a pod could not be kept on the host', { err: error });
    }
    worker.update(pod);
    this.#parts.taken(pod);
  }

  #drop(pod: Pod): void {
    if (isMirrorPod(pod)) this.#parts.mirrored(pod);
    this.#workers.get(pod.metadata.uid ?? '')?.remove();
  }

  /** Looks at what the runtime has: pods of which no event told are looked at, and what belongs to none is removed. */
  async #look({ kicks }: { kicks: boolean }): Promise<void> {
    const { options, volumes, ending } = this.#parts;
    if (ending.aborted) return;
    const known = (uid: string) => this.#workers.has(uid);
    try {
      const listed = await listAll(options.runtime);
      if (kicks)
        for (const uid of this.#relist.due(this.#workers, listed)) this.#workers.get(uid)?.kick();
      this.#checkpoints.tidy(known);
      this.#parts.extensions.tidy(known);
      await removeOrphans(options, volumes, { listed, known });
    } catch (error) {
      options.logger.warn('the pods of this node could not be looked after as a whole', {
        err: error,
      });
    }
  }
}

function withSource(pod: Pod, source: string): Pod {
  const annotations = { ...pod.metadata.annotations, [CONFIG_SOURCE]: source };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}
