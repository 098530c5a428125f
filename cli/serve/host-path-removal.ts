// Removes folders of the host for volumes of hostPath whose reclaim policy is Delete: below the host's /tmp, and nowhere else.
// Invariant: no link on the way and nothing mounted below leads the removal to somebody else's files.
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeTree } from '../../system/remove-tree.ts';
import type { System } from '../../system/system.ts';

const ROOT = '/tmp';

/** For the controllers of a control plane that runs where the volumes are. What it needs is loaded once there is something to remove. */
export async function removeHostPath(path: string): Promise<void> {
  const { createLinuxSystem } = await import('../../system/linux.ts');
  await hostPathRemoval(createLinuxSystem())(path);
}

/** The same on a system that is given. Rejects with what a user can act on. */
export const hostPathRemoval =
  (system: Pick<System, 'run' | 'mounts'>) =>
  async (path: string): Promise<void> => {
    const root = await realpath(ROOT);
    const folder = await realpath(dirname(path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (folder === undefined) return;
    // Of `/tmp/.` that is the root itself.
    const target = join(folder, basename(path));
    if (!target.startsWith(`${root}/`))
      throw new Error(`${path} is not removed: it leads to ${target}, which is not below ${ROOT}`);
    const mount = system
      .mounts()
      .find(({ mountPoint }) => mountPoint === target || mountPoint.startsWith(`${target}/`));
    if (mount)
      throw new Error(
        `${path} is not removed: unmount ${mount.mountPoint}, which lies in it, first`,
      );
    await removeTree(system, target);
  };
