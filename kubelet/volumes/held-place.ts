// A part of a volume, held open by a process beside this one: file systems that hang hang that process.
// Invariant: the path leads to what was reached, whatever becomes of its name, until it is released.
import type { System } from '../../system/system.ts';
import { askPlace } from './place-process.ts';

/** A place that is held open. */
export interface HeldPlace {
  /** Path by which it can be mounted. */
  readonly source: string;
  readonly isDirectory: boolean;
  readonly release: () => void;
}

/** Opens it. Throws ConfigError where the volume has no such place. */
export async function openHeld(
  system: Pick<System, 'spawn'>,
  part: { readonly root: string; readonly inside: string },
  signal: AbortSignal,
): Promise<HeldPlace> {
  const { answer, pid, release } = await askPlace(system, { kind: 'hold', ...part }, signal);
  if (answer.kind !== 'held') throw new Error('the process answered another order');
  const { descriptor, isDirectory } = answer;
  return { source: `/proc/${pid}/fd/${descriptor}`, isDirectory, release };
}
