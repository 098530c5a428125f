// How the containers of a fake node answer probes: their lives say it, and no socket is asked.
// Invariant: a container whose life says when it is ready becomes so at that moment, by the state that a readiness probe has.
import type { Container, Probe } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import { networkProbes } from '../../kubelet/probes/probe-action.ts';
import type { ProbeDoor, ProbeKind, Probes, ProbeTarget } from '../../kubelet/probes/probe-door.ts';
import type { ProbeResult } from '../../kubelet/probes/probe-state.ts';
import type { PodLife } from './pod-life.ts';

/** A container that is asked. */
export interface LivingContainer {
  readonly life: PodLife;
  readonly startedAtMs: number;
}

/** The longest period that a probe may have; nobody asks a container that is ready once and for all again. */
const RARELY_SECONDS = 24 * 3600;
/** Probes that fail until a container is ready. */
const AWAITED: ReadonlySet<string> = new Set<ProbeKind>(['startup', 'readiness']);
const OK: ProbeResult = { ok: true };
const REFUSED: ProbeResult = { ok: false, message: 'the life of the container says no' };

/** The door. `find` tells of a container by its id. */
export class LifeProbes implements ProbeDoor {
  readonly #find: (containerId: string) => LivingContainer | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock, find: (containerId: string) => LivingContainer | undefined) {
    this.#clock = clock;
    this.#find = find;
  }

  probesOf(containerId: string, container: Container): Probes {
    const ms = this.#find(containerId)?.life.readyAfterMs;
    if (ms === undefined || container.readinessProbe) return container;
    const readinessProbe = {
      tcpSocket: { port: 1 },
      initialDelaySeconds: ms / 1000,
      periodSeconds: RARELY_SECONDS,
    };
    return { ...container, readinessProbe };
  }

  try(kind: ProbeKind | 'hook', probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
    const found = this.#find(target.containerId);
    if (!found) return Promise.resolve(REFUSED);
    const { life, startedAtMs } = found;
    const at = this.#clock.now() - startedAtMs;
    if (AWAITED.has(kind) && at < (life.readyAfterMs ?? 0)) return Promise.resolve(REFUSED);
    if (probe.exec && life.exec) return networkProbes.try(kind, probe, target);
    return Promise.resolve((life.probe?.(kind, at) ?? true) ? OK : REFUSED);
  }
}
