// The API's copies of a node's static pods: made when a static pod is there, made again when somebody deletes them, removed after it.
// Invariants: a copy that is deleted never ends its pod; one key is looked at by one worker at a time, and again after whatever
// happened meanwhile; a copy whose name another pod has comes once that one has gone.
import type { Node, Pod } from '../../api/generated/types.ts';
import { Nodes, Pods } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import { isAlreadyExists, isNotFound } from '../../api/status.ts';
import { backoffDelay } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { Client } from '../../client/rest/client.ts';
import { CONFIG_MIRROR, isMirrorPod } from '../eviction/critical-pods.ts';

const RETRY = { initialMs: 500, maxMs: 60_000, jitter: 0.3 };
/** What fails more often than that is told. */
const TOLD_AFTER = 2;

/** What it needs. */
export interface MirrorPodsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  /** The node's pods as the API has them. */
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  /** The static pod of a namespace and name. */
  readonly staticPod: (key: string) => Pod | undefined;
  /** The API has a copy of the pod now: its status is to go there. */
  readonly onMirror: (podUid: string) => void;
  /** Tells what keeps a copy from being made. */
  readonly tellProblem: (message: string) => void;
}

/** Another pod has the name of a copy. */
class NameTaken extends Error {
  override readonly name = 'NameTaken';

  constructor(key: string) {
    super(
      `the static pod ${key} runs, but the API cannot show it: another pod has its name; delete that one, or give the static pod another name`,
    );
  }
}

/** The copies of one node's static pods. */
export class MirrorPods {
  readonly #options: MirrorPodsOptions;
  readonly #stale = new Set<string>();
  readonly #busy = new Set<string>();
  /** What waits to be tried again, and how it is woken. */
  readonly #waiting = new Map<string, AbortController>();
  #ending: AbortSignal | undefined;

  constructor(options: MirrorPodsOptions) {
    this.#options = options;
  }

  /** The copy of a static pod, where the API has the right one. */
  of(pod: Pod): Pod | undefined {
    const mirror = this.#options.pods.get(`${pod.metadata.namespace}/${pod.metadata.name}`);
    return mirror && isOf(mirror, pod) ? mirror : undefined;
  }

  /** Works until the signal aborts. */
  run(signal: AbortSignal): void {
    this.#ending = signal;
    const { pods, nodes } = this.#options;
    const lookAll = () => {
      for (const key of this.#stale) this.look(key);
    };
    const lookIfWaiting = (pod: Pod) => {
      const key = keyOf(pod);
      if (this.#waiting.has(key)) this.look(key);
    };
    for (const unsubscribe of [
      nodes.subscribe({ onAdd: lookAll }),
      pods.subscribe({ onDelete: lookIfWaiting }),
    ])
      signal.addEventListener('abort', unsubscribe, { once: true });
    void pods.synced(signal).then(lookAll, () => undefined);
    lookAll();
  }

  /** Something of the pod or its copy may be another thing. */
  look(key: string): void {
    this.#stale.add(key);
    this.#waiting.get(key)?.abort();
    if (this.#busy.has(key) || !this.#ending || this.#ending.aborted) return;
    this.#busy.add(key);
    void this.#work(key, this.#ending).finally(() => this.#busy.delete(key));
  }

  /** Never rejects. */
  async #work(key: string, signal: AbortSignal): Promise<void> {
    const { pods } = this.#options;
    for (let failures = 0; this.#stale.has(key) && !signal.aborted; ) {
      // Without the API's list, and without a Node to own it, a copy waits; both look again.
      if (!pods.hasSynced || !this.#node()) return;
      this.#stale.delete(key);
      try {
        await this.#settle(key, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#stale.add(key);
        if (failures === TOLD_AFTER) this.#tell(key, error);
        await this.#pause(key, failures++, signal);
      }
    }
  }

  #tell(key: string, error: unknown): void {
    const { logger, tellProblem } = this.#options;
    logger.warn('a mirror pod cannot be made yet', { pod: key, err: error });
    if (error instanceof NameTaken) tellProblem(error.message);
  }

  /** Longer with each failure; over at once when there is something to look at. */
  async #pause(key: string, failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const woken = new AbortController();
    this.#waiting.set(key, woken);
    const either = AbortSignal.any([signal, woken.signal]);
    await clock.sleep(backoffDelay(failures, RETRY, random), either).catch(() => undefined);
    this.#waiting.delete(key);
  }

  async #settle(key: string, signal: AbortSignal): Promise<void> {
    const { client, pods, staticPod, onMirror } = this.#options;
    const wanted = staticPod(key);
    const mirror = pods.get(key);
    if (wanted && mirror && isOf(mirror, wanted)) return onMirror(wanted.metadata.uid ?? '');
    if (wanted && mirror && !isMirrorPod(mirror)) throw new NameTaken(key);
    if (mirror) return this.#remove(mirror, signal);
    if (!wanted) return;
    const node = this.#node();
    if (!node) return;
    try {
      pods.observeWrite(await client.resource(Pods).create(mirrorOf(wanted, node), { signal }));
    } catch (error) {
      // Or one of its own that the informer has not seen yet: it tells soon.
      throw isAlreadyExists(error) ? new NameTaken(key) : error;
    }
    onMirror(wanted.metadata.uid ?? '');
  }

  /** At once, and that one only: what it is the copy of ends by itself, or is told of again. The informer tells of its end. */
  async #remove(mirror: Pod, signal: AbortSignal): Promise<void> {
    if (!isMirrorPod(mirror)) return;
    const { namespace, name = '', uid } = mirror.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid: uid ?? '' }, signal };
    try {
      await this.#options.client.resource(Pods).delete({ namespace, name }, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #node(): Node | undefined {
    const { nodes, nodeName } = this.#options;
    return nodes.get(nodeName);
  }
}

/** Is it the copy of that very pod, and to stay? */
const isOf = ({ metadata }: Pod, pod: Pod): boolean =>
  metadata.annotations?.[CONFIG_MIRROR] === pod.metadata.uid &&
  metadata.deletionTimestamp === undefined;

/** What the API is given: owned by the node, with a priority that the API finds itself. */
function mirrorOf({ metadata, spec }: Pod, node: Node): Pod {
  const { namespace = 'default', name = '', labels, annotations, uid = '' } = metadata;
  const owner = { apiVersion: 'v1', kind: Nodes.kind, name: node.metadata.name ?? '' };
  const { priority: _, preemptionPolicy: __, ...rest } = spec ?? { containers: [] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace,
      name,
      ...(labels && { labels }),
      annotations: { ...annotations, [CONFIG_MIRROR]: uid },
      ownerReferences: [{ ...owner, uid: node.metadata.uid ?? '', controller: true }],
    },
    spec: rest,
  };
}
