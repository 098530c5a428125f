// Reads single files of a container's root file system from outside. Invariant: no link in the image leads the reader to a file of the host.
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Larger user tables are not read. */
const MAX_BYTES = 1024 * 1024;

/** /etc/passwd and /etc/group of an image; empty texts when they are not there, or are links. */
export function readIdentityFiles(rootfs: string): { passwd: string; group: string } {
  if (!lstatSync(join(rootfs, 'etc'), { throwIfNoEntry: false })?.isDirectory())
    return { passwd: '', group: '' };
  return {
    passwd: readPlainFile(join(rootfs, 'etc', 'passwd')),
    group: readPlainFile(join(rootfs, 'etc', 'group')),
  };
}

function readPlainFile(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(fd);
    return size > MAX_BYTES ? '' : readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
