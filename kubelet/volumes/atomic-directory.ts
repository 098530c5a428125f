// Writes a volume's files so that readers see all old or all new ones: `..data` is a link that is swapped by rename.
// The layout is upstream's, which programs that watch mounted ConfigMaps rely on.
// Invariant: a name in the volume always leads to a whole file of one generation.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** A file of a volume. */
export interface VolumeFile {
  /** Relative; may have folders. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
  /** Root unless given. */
  readonly owner?: number;
}

const DATA = '..data';

/** Makes the directory show exactly `files`; false when it did already. `group` owns them where given. */
export function writeVolume(
  directory: string,
  files: readonly VolumeFile[],
  options: { group?: number | undefined; generation: string },
): boolean {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const before = currentOf(directory);
  if (before !== undefined && same(join(directory, before), files)) {
    // Whoever swapped the link may have died before it was through.
    linkNames(directory, files);
    return false;
  }
  const fresh = `..${options.generation}`;
  rmSync(join(directory, fresh), { recursive: true, force: true });
  for (const file of files) writeOne(join(directory, fresh), file, options.group);
  mkdirSync(join(directory, fresh), { recursive: true, mode: 0o755 });
  const draft = join(directory, `${DATA}_tmp`);
  rmSync(draft, { force: true });
  symlinkSync(fresh, draft);
  renameSync(draft, join(directory, DATA));
  linkNames(directory, files);
  if (before !== undefined && before !== fresh)
    rmSync(join(directory, before), { recursive: true, force: true });
  return true;
}

function currentOf(directory: string): string | undefined {
  const link = join(directory, DATA);
  return existsSync(link) ? readlinkSync(link) : undefined;
}

function writeOne(root: string, file: VolumeFile, group: number | undefined): void {
  const path = join(root, file.path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  writeFileSync(path, file.content);
  const mode = group === undefined ? file.mode : file.mode | ((file.mode & 0o400) >> 3);
  chmodSync(path, mode);
  if (group !== undefined || file.owner !== undefined) chownSync(path, file.owner ?? 0, group ?? 0);
}

/** First parts of the files' paths, each a link through `..data`; names that are gone are removed. */
function linkNames(directory: string, files: readonly VolumeFile[]): void {
  const tops = new Set(files.map((file) => file.path.split('/')[0] ?? ''));
  const there = new Set(readdirSync(directory));
  for (const name of there)
    if (!name.startsWith('..') && !tops.has(name)) rmSync(join(directory, name), { force: true });
  for (const name of tops)
    if (!there.has(name)) symlinkSync(`${DATA}/${name}`, join(directory, name));
}

function same(root: string, files: readonly VolumeFile[]): boolean {
  const present = existsSync(root)
    ? readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    : [];
  return (
    present.length === files.length &&
    files.every((file) => {
      const path = join(root, file.path);
      return existsSync(path) && readFileSync(path).equals(file.content);
    })
  );
}
