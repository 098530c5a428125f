// Makes in an unpacked layer what overlayfs takes for "gone" and "nothing below shows": devices 0:0, and directories marked opaque.
// Invariant: every directory on the way is a real one below the layer's own, never a link: nothing outside is touched.
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { breathe } from '../../base/breathe.ts';
import type { System } from '../../system/system.ts';
import { BadImageError } from './image-config.ts';
import type { Hidden } from './layer-rules.ts';
import { shown } from './manifest.ts';

/** Made between two pauses of the event loop: each takes a few microseconds. */
const MADE_AT_ONCE = 64;

/** Hides names in `root`, a directory into which nobody else writes. Throws BadImageError where a way leads through a link. */
export async function hideNames(system: System, root: string, hidden: Hidden): Promise<void> {
  const real = new Set<string>();
  let made = 0;
  for (const directory of hidden.opaque) {
    await makeReal(root, directory, real);
    system.setOverlayOpaque(join(root, directory));
    if (++made % MADE_AT_ONCE === 0) await breathe();
  }
  for (const name of hidden.names) {
    await makeReal(root, name.slice(0, Math.max(0, name.lastIndexOf('/'))), real);
    const path = join(root, name);
    const there = await lstat(path).catch(() => undefined);
    // What the layer has itself under a name that it hides replaces what was below, wholly.
    if (there?.isDirectory()) system.setOverlayOpaque(path);
    else if (!there) system.makeWhiteout(path);
    if (++made % MADE_AT_ONCE === 0) await breathe();
  }
}

/** Sees to it that each part of the path is a directory. `real` holds those that are known to be. */
async function makeReal(root: string, path: string, real: Set<string>): Promise<void> {
  if (path === '' || real.has(path)) return;
  const slash = path.lastIndexOf('/');
  await makeReal(root, slash === -1 ? '' : path.slice(0, slash), real);
  const there = await lstat(join(root, path)).catch(() => undefined);
  if (!there) await mkdir(join(root, path), { mode: 0o755 });
  else if (!there.isDirectory())
    throw new BadImageError(`the layer hides names below ${shown(path)}, which is no directory`);
  real.add(path);
}
