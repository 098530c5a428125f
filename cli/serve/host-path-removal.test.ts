// Folders of volumes are removed below /tmp only, whatever links lead there, and nothing that is mounted in them.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostPathRemoval } from './host-path-removal.ts';

let root: string;
let mounted: string[];
beforeEach(() => {
  root = mkdtempSync('/tmp/pinnace-removal-');
  mounted = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const MOUNT = { root: '/', type: 'tmpfs', source: 'tmpfs', options: 'rw' };
const remove = hostPathRemoval({
  run: () => Promise.reject(new Error('too large a tree for this test')),
  mounts: () => mounted.map((mountPoint) => ({ ...MOUNT, mountPoint })),
});

function aFolder(...names: string[]): string {
  const path = join(root, ...names);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'file'), 'content');
  return path;
}

describe('the folder of a volume', () => {
  it('goes with all in it; what is not there is gone already', async () => {
    const path = aFolder('a', 'b');
    await remove(path);
    expect(existsSync(path)).toBe(false);
    await remove(path);
    await remove(join(root, 'never', 'there'));
  });

  it('goes as a link, not as what the link leads to', async () => {
    const other = aFolder('other');
    symlinkSync(other, join(root, 'link'));
    await remove(join(root, 'link'));
    expect(existsSync(join(other, 'file'))).toBe(true);
    expect(existsSync(join(root, 'link'))).toBe(false);
  });

  it('stays where a link on the way leads out of /tmp', async () => {
    symlinkSync('/var/lib', join(root, 'out'));
    await expect(remove(join(root, 'out', 'pinnace-none'))).rejects.toThrow(
      /leads to \/var\/lib\/pinnace-none, which is not below \/tmp$/,
    );
  });

  it('stays where it is all of /tmp, however that is written', async () => {
    // So that nothing is lost where it would be removed.
    mounted = ['/tmp'];
    for (const path of ['/tmp/.', `${root}/..`])
      await expect(remove(path)).rejects.toThrow(/leads to \/tmp, which is not below \/tmp$/);
  });

  it('stays while something is mounted in it', async () => {
    const path = aFolder('a');
    mounted = [join(path, 'disk')];
    await expect(remove(path)).rejects.toThrow(/unmount \S+\/a\/disk, which lies in it, first$/);
    expect(existsSync(path)).toBe(true);
  });
});
