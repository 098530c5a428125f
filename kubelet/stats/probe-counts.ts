// GET /metrics/probes: how often each probe of each container succeeded and failed.
// Invariant: counts end with their pod; a result costs a look-up and an addition.
import type { Pod } from '../../api/generated/types.ts';
import { metricText } from '../../base/metric-text.ts';
import type { ProbeKind } from '../probes/probe-door.ts';

interface Counted {
  readonly container: string;
  readonly kind: ProbeKind;
  readonly ok: boolean;
  count: number;
}

/** Upstream's words. */
const TYPES = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' } as const;

/** The counts of one node. */
export class ProbeCounts {
  readonly #byPod = new Map<string, Map<string, Counted>>();

  /** A probe of a container has a result. */
  note(podUid: string, container: string, { kind, ok }: { kind: ProbeKind; ok: boolean }): void {
    const own = this.#byPod.get(podUid) ?? new Map<string, Counted>();
    this.#byPod.set(podUid, own);
    const key = `${kind}/${ok}/${container}`;
    const counted = own.get(key) ?? { container, kind, ok, count: 0 };
    counted.count += 1;
    own.set(key, counted);
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#byPod.delete(podUid);
  }

  /** The page, for pods that there are. */
  text(pods: readonly Pod[]): string {
    const lines = pods.flatMap(({ metadata }) =>
      Array.from(this.#byPod.get(metadata.uid ?? '')?.values() ?? [], (counted) => ({
        labels: {
          container: counted.container,
          namespace: metadata.namespace ?? '',
          pod: metadata.name ?? '',
          pod_uid: metadata.uid ?? '',
          probe_type: TYPES[counted.kind],
          result: counted.ok ? 'successful' : 'failed',
        },
        value: counted.count,
      })),
    );
    const help = 'Results of probes, by container and kind.';
    return metricText([{ name: 'prober_probe_total', help, type: 'counter', lines }]);
  }
}
