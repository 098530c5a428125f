// What containers do on fake nodes, as tests say it: lives by image, or by a function of the container.
// Invariant: whatever a life says of times counts from the start of its container, and of loads from the cluster's own time.
import type { Pod } from '../../api/generated/types.ts';
import type { ProbeKind } from '../../kubelet/probes/probe-door.ts';
import type { Life } from '../../kubelet/runtime/fake/life.ts';

/** What a load may depend on besides time. */
export interface LoadContext {
  readonly pod: Pod;
  /** Ready pods of the same owner, this one included, wherever they run; at least 1. */
  readonly readyPods: number;
  /** Wall time in milliseconds when the container started. */
  readonly startedAtMs: number;
}

/** A figure that is steady, or that is asked for: `at` is in milliseconds since the nodes began. */
export type Load = number | ((at: number, context: LoadContext) => number);

/** One container's life. Times are in milliseconds and count from its start. */
export interface PodLife extends Omit<Life, 'cpuNanoCores' | 'memoryBytes'> {
  /** How long its image takes to be pulled, where the node has it not yet; 0 unless given. */
  readonly pullMs?: number;
  /** Why its image cannot be pulled after that; the node tries again, each time later. */
  readonly pullError?: string;
  /** It is not ready before this: startup and readiness probes fail until then; a container without the latter is as if it had one. */
  readonly readyAfterMs?: number;
  /** It ends by itself after this, with code 1 unless `exitCode` says another. */
  readonly crashAfterMs?: number;
  /** What its probes and hooks come to, but for commands where there is `exec`; all succeed unless given. */
  readonly probe?: (kind: ProbeKind | 'hook', at: number) => boolean;
  /** Use of the processor; 1 millicore unless given. A billion is one processor. */
  readonly cpuNanoCores?: Load;
  /** Memory in use; 16 MiB unless given. */
  readonly memoryBytes?: Load;
}

/** A container that is to live. */
export interface ContainerOfPod {
  /** As its pod names it. */
  readonly image: string;
  readonly name: string;
  readonly pod: Pod;
  /** How often it was restarted. */
  readonly attempt: number;
}

/** Lives of containers; where nothing is said, a container runs on, is ready at once and uses little. */
export type LivesOf =
  | Readonly<Record<string, PodLife>>
  | ((container: ContainerOfPod) => PodLife | undefined);

/** The life of a container. By image, the whole name counts more than the name without its tag. */
export function lifeFrom(lives: LivesOf | undefined, container: ContainerOfPod): PodLife {
  if (typeof lives === 'function') return lives(container) ?? {};
  const { image } = container;
  return lives?.[image] ?? lives?.[image.replace(/:[^/:]*$/, '')] ?? {};
}

/** Does a table of lives name the image? A function has all. */
export function namesImage(lives: LivesOf | undefined, image: string): boolean {
  if (typeof lives === 'function') return true;
  return lives !== undefined && (image in lives || image.replace(/:[^/:]*$/, '') in lives);
}
