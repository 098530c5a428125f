// ProbeDoor: which probes a container has, and how one is tried. probe-action.ts asks over the network; fake nodes answer themselves.
// Invariant: a try ends within its timeout, and never rejects: what goes wrong is a failed result.
import type { Container, Probe } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import type { ProbeResult } from './probe-state.ts';

/** Which probe of a container. */
export type ProbeKind = 'startup' | 'readiness' | 'liveness';

/** The probes of a container, as its specification names them. */
export type Probes = Pick<Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe'>;

/** What a try needs. */
export interface ProbeTarget {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** The way to what containers say of themselves. */
export interface ProbeDoor {
  /** Asked once for each container, when it is first seen running. */
  probesOf(containerId: string, container: Container): Probes;
  /** Tries once. `hook`: it is a hook of the container's life, which is asked as a probe is. */
  try(kind: ProbeKind | 'hook', probe: Probe, target: ProbeTarget): Promise<ProbeResult>;
}
