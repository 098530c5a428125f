// The pods of a simulated service: which of them serve, and what CPU each uses, as its node asks.
// Invariant: a pod has its share of the load while it is Ready and is not going away, as the endpoints of a Service have it.
import type { Pod } from '../../api/generated/types.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { InformerHandler } from '../../client/informer/informer.ts';
import type { PodLife } from '../nodes/pod-life.ts';
import type { Service } from './service.ts';
import type { TrafficDay } from './traffic-day.ts';

interface Share {
  /** Processor time used in earlier spells of serving, in milliseconds. */
  readonly usedMs: number;
  /** The day's counter when this spell began; undefined while it does not serve. */
  readonly since: number | undefined;
}

interface Asked {
  readonly second: number;
  readonly usedMs: number;
  readonly nanoCores: number;
}

/** Follows the pods and tells the day how many there are. */
export class ServicePods implements InformerHandler<Pod> {
  readonly #service: Service;
  readonly #day: TrafficDay;
  readonly #secondNow: () => number;
  readonly #all = new Set<string>();
  readonly #shares = new Map<string, Share>();
  readonly #asked = new Map<string, Asked>();
  #serving = 0;

  /** `secondNow`: the second of the day's curve that has begun. */
  constructor(service: Service, day: TrafficDay, secondNow: () => number) {
    this.#service = service;
    this.#day = day;
    this.#secondNow = secondNow;
  }

  onAdd(pod: Pod): void {
    this.#see(pod);
  }

  onUpdate(pod: Pod): void {
    this.#see(pod);
  }

  onDelete(pod: Pod): void {
    this.#day.playTo(this.#secondNow());
    const uid = pod.metadata.uid ?? '';
    this.#setServing(uid, false);
    this.#all.delete(keyOf(pod));
    this.#shares.delete(uid);
    this.#asked.delete(uid);
    this.#tell();
  }

  /** What a container of the service does; its pod's first container does the work. */
  lifeOf(pod: Pod, container: string): PodLife {
    const { startMs, idleMilli } = this.#service;
    const works = (pod.spec?.containers[0]?.name ?? container) === container;
    const uid = pod.metadata.uid ?? '';
    return {
      readyAfterMs: startMs,
      cpuNanoCores: works ? () => this.#nanoCores(uid) : idleMilli * NANOS_PER_MILLI,
    };
  }

  #see(pod: Pod): void {
    this.#day.playTo(this.#secondNow());
    const { metadata, status } = pod;
    const isLeaving = metadata.deletionTimestamp !== undefined;
    this.#all.add(keyOf(pod));
    this.#setServing(
      metadata.uid ?? '',
      !isLeaving && isConditionTrue(status?.conditions, 'Ready'),
    );
    this.#tell();
  }

  #tell(): void {
    this.#day.setPods({ serving: this.#serving, all: this.#all.size });
  }

  #setServing(uid: string, serves: boolean): void {
    const { usedMs = 0, since } = this.#shares.get(uid) ?? {};
    if (serves === (since !== undefined)) return;
    const now = this.#day.cpuMsPerPod;
    this.#shares.set(
      uid,
      serves ? { usedMs, since: now } : { usedMs: usedMs + now - (since ?? now), since: undefined },
    );
    this.#serving += serves ? 1 : -1;
  }

  /** Its use since it was asked last, on average. */
  #nanoCores(uid: string): number {
    const second = this.#secondNow();
    this.#day.playTo(second);
    const { idleMilli, startMilli } = this.#service;
    const share = this.#shares.get(uid);
    if (!share) return startMilli * NANOS_PER_MILLI;
    const before = this.#asked.get(uid);
    if (before && before.second >= second) return before.nanoCores;
    const { usedMs: past, since } = share;
    const usedMs = past + (since === undefined ? 0 : this.#day.cpuMsPerPod - since);
    const seconds = before ? second - before.second : 0;
    const milli = seconds > 0 ? (usedMs - (before?.usedMs ?? 0)) / seconds : 0;
    const nanoCores = (milli + idleMilli) * NANOS_PER_MILLI;
    this.#asked.set(uid, { second, usedMs, nanoCores });
    return nanoCores;
  }
}

const NANOS_PER_MILLI = 1_000_000;
