// PodLogs: where containers' logs lie. disk-logs.ts keeps them in files, host/memory/memory-logs.ts in this process.
// Invariant: a log is read in whole lines and in order, while it grows and when it is rotated.
import type { Pod } from '../../api/generated/types.ts';
import { parseQuantity, toWhole } from '../../api/meta/quantity.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeletConfiguration } from '../configuration.ts';

/** There is no log of that path. */
export class LogNotFound extends Error {
  override readonly name = 'LogNotFound';
}

/** How a log is followed. */
export interface FollowOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** False once nothing more will be written. */
  readonly grows: () => boolean;
}

/** Which lines of a log. */
export interface LinesAsked {
  /** The last so many; all unless given. */
  readonly tailLines?: number | undefined;
  /** To its end unless given. */
  readonly follow?: FollowOptions | undefined;
}

/** What rotation is to keep to: upstream's containerLogMaxSize and containerLogMaxFiles, which counts the one that is written. */
export interface RotationLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** The sizes that a configuration says. */
export function rotationLimits({
  containerLogMaxSize,
  containerLogMaxFiles,
}: Pick<KubeletConfiguration, 'containerLogMaxSize' | 'containerLogMaxFiles'>): RotationLimits {
  return { maxBytes: toWhole(parseQuantity(containerLogMaxSize)), maxFiles: containerLogMaxFiles };
}

/** The logs of a node. */
export interface PodLogs {
  /** Where the log of a container is to be written; `attempt` is its restart count. */
  pathOf(pod: Pod, container: string, attempt: number): string;
  /** How many containers of a name have had a log: the restart count of the next, where the runtime remembers none (as upstream). */
  attempts(pod: Pod, container: string): number;
  /** Batches of lines as the runtime wrote them (CRI), without their newlines. Throws LogNotFound. */
  lines(path: string, asked: LinesAsked): AsyncIterable<readonly Uint8Array[]>;
  /**
   * Puts a log that is too large aside under a name with the stamp, and has the runtime write to a new one by `reopen`;
   * those put aside before are packed, the oldest beyond `maxFiles` removed. True when it did. Throws when it cannot; the log is
   * as it was then.
   */
  rotate(
    path: string,
    limits: RotationLimits,
    how: { stamp(): string; reopen(): Promise<void> },
  ): Promise<boolean>;
  /** Removes all logs of a pod; quiet when there are none. */
  remove(pod: Pod): Promise<void>;
  /** Removes those of pods that nobody knows any more. */
  tidy(known: (podUid: string) => boolean): void;
}
