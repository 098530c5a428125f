// Places that every container mounts something on, as layers below those of its image: made once, where runc would make them in each
// container's writable layer, nine directories of thirteen inodes.
// Invariants: whatever an image has at such a place hides ours; nothing is added to a layer that may be in use, so another list of places
// is a layer of another name.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ContainerConfig } from '../runtime.ts';
import type { Layout } from './layout.ts';

interface Places {
  readonly name: string;
  readonly directories: readonly string[];
  readonly files: readonly string[];
}

/** What is mounted in all containers; what lies below `/dev` is a file system of its own. */
const COMMON: Places = {
  name: 'common1',
  directories: ['proc', 'dev', 'sys'],
  files: ['etc/hosts', 'etc/hostname', 'etc/resolv.conf'],
};
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** What is mounted in those that may ask the API server. */
const TOKEN: Places = { name: 'token1', directories: [TOKEN_PATH], files: [] };

/** Makes the layers. Repeatable: one that an agent left half made is completed. */
export function makeMountPoints({ mountPoints }: Pick<Layout, 'mountPoints'>): void {
  for (const { name, directories, files } of [COMMON, TOKEN]) {
    const inLayer = (path: string) => join(mountPoints, name, path);
    for (const path of [...directories, ...files.map((file) => dirname(file))])
      mkdirSync(inLayer(path), { recursive: true, mode: 0o755 });
    for (const path of files.map(inLayer))
      if (!existsSync(path)) writeFileSync(path, '', { mode: 0o755 });
  }
}

/** Layers for a container, to be put below its image's. */
export function mountPointsOf(
  { shortMountPoints }: Pick<Layout, 'shortMountPoints'>,
  { mounts }: Pick<ContainerConfig, 'mounts'>,
): readonly string[] {
  const hasToken = mounts.some(({ containerPath }) => containerPath === TOKEN_PATH);
  return (hasToken ? [TOKEN, COMMON] : [COMMON]).map(({ name }) => join(shortMountPoints, name));
}
