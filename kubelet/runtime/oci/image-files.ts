// Reads single files of a container's root file system from outside. Invariant: no link in the image leads the reader to a file of the host.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { join } from 'node:path';

/** Larger user tables are not read. */
const MAX_BYTES = 1024 * 1024;

/** Links on one way: as many as the kernel follows. */
export const MAX_LINKS = 40;

/**
 * /etc/passwd and /etc/group of a container that does not run yet, where nobody changes anything meanwhile; empty texts when they are not
 * there. Links are followed as in the container: an absolute one begins at its root, and no `..` leads above that.
 */
export function readIdentityFiles(rootfs: string): { passwd: string; group: string } {
  const read = (path: string) => {
    const place = placeInside(rootfs, path);
    return place === undefined ? '' : readPlainFile(place);
  };
  return { passwd: read('/etc/passwd'), group: read('/etc/group') };
}

/** Where a path of the container lies on the host, no link left in it; undefined where it leads in a circle. */
function placeInside(rootfs: string, path: string): string | undefined {
  const left = path.split('/');
  let inside: string[] = [];
  let links = 0;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      inside.pop();
      continue;
    }
    const place = join(rootfs, ...inside, name);
    if (!lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) {
      inside.push(name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return undefined;
    const target = readlinkSync(place);
    if (target.startsWith('/')) inside = [];
    left.unshift(...target.split('/'));
  }
  return join(rootfs, ...inside);
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
