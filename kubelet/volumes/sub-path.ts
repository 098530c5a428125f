// A part of a volume made visible at a path of its own, for one mount of a container.
// Invariant: what is mounted is what was reached inside of the volume, by its descriptor and not by its name.
import { closeSync, fstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { System } from '../../system/system.ts';
import { openHeld } from './held-place.ts';
import { descriptorPath, openInside } from './inside.ts';

/** Which part of which volume. */
export interface SubPath {
  /** Host path of the volume. */
  readonly root: string;
  /** Relative path in it. */
  readonly inside: string;
  /** Where it is to be made visible on the host. */
  readonly target: string;
}

/** Binds the part to its target, anew when something was there before. Throws ConfigError when it leads out of the volume. */
export function bindSubPath(system: System, { root, inside, target }: SubPath): void {
  const place = openInside(root, inside);
  try {
    const isDirectory = fstatSync(place).isDirectory();
    bind(system, { source: descriptorPath(place), isDirectory }, target);
  } finally {
    closeSync(place);
  }
}

/** As bindSubPath, for volumes whose file system may hang: a process beside this one goes there. */
export async function bindSubPathBeside(
  system: System,
  { root, inside, target }: SubPath,
  signal: AbortSignal,
): Promise<void> {
  const held = await openHeld(system, { root, inside }, signal);
  try {
    // Given up meanwhile: its pod may be gone, and nobody would unmount it.
    signal.throwIfAborted();
    bind(system, held, target);
  } finally {
    held.release();
  }
}

/** The kernel asks the file system nothing for it: the place is open already. */
function bind(
  system: System,
  { source, isDirectory }: { readonly source: string; readonly isDirectory: boolean },
  target: string,
): void {
  system.unmount(target);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  if (isDirectory) mkdirSync(target, { recursive: true });
  else writeFileSync(target, '', { flag: 'a' });
  system.mount({ source, target, flags: ['bind'] });
}
