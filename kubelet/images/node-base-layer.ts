// The layer that every Node service of ours stands on: a Node binary of the host, the shared libraries it needs, and the few files in /etc
// that programs expect. Invariant: the same binary and libraries give the same layer.
import { realpathSync } from 'node:fs';
import type { System } from '../../system/system.ts';
import type { BuildFile, BuildLayer } from './build.ts';

/** Where the binary is found in the image. */
export const NODE_PATH_IN_IMAGE = '/usr/local/bin/node';

const PASSWD =
  'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n';
const GROUP = 'root:x:0:\nnogroup:x:65534:\n';
const NSSWITCH = 'passwd: files\ngroup: files\nhosts: files dns\n';
const EXECUTABLE = 0o755;

/** The layer for a Node binary (`process.execPath` for the one that runs now). Uses `ldd` of the host. */
export async function nodeBaseLayer(system: System, nodeBinary: string): Promise<BuildLayer> {
  const libraries = await sharedLibraries(system, nodeBinary);
  return {
    files: [
      { source: realpathSync(nodeBinary), target: NODE_PATH_IN_IMAGE, mode: EXECUTABLE },
      ...libraries,
      { content: PASSWD, target: '/etc/passwd' },
      { content: GROUP, target: '/etc/group' },
      { content: NSSWITCH, target: '/etc/nsswitch.conf' },
      { directory: true, target: '/tmp', mode: 0o1777 },
      { directory: true, target: '/root', mode: 0o700 },
    ],
  };
}

/** The shared libraries of a program, its dynamic loader among them, each at the path where the loader looks for it. */
export async function sharedLibraries(
  system: System,
  program: string,
): Promise<readonly BuildFile[]> {
  const { stdout } = await system.run('ldd', [program]);
  return parseLdd(stdout).map((path) => ({
    source: realpathSync(path),
    target: path,
    mode: EXECUTABLE,
  }));
}

/** Paths in the output of ldd; the kernel's own vdso has none. */
export function parseLdd(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const path = /=> (\/\S+) \(/.exec(line)?.[1] ?? /^\s*(\/\S+) \(/.exec(line)?.[1];
    return path === undefined ? [] : [path];
  });
}
