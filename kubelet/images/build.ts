// Makes images from files of the host, without a registry and without writing a tar: contents are copied straight into the layer.
// Invariants: equal content gives equal digests (sorted, owner root, time zero), so layers are shared between images and between builds;
// a layer whose sources have not changed (path, size, time of change) costs a few stat calls.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { ImageInfo } from '../runtime/runtime.ts';
import { hostArchitecture, type ImageProcess } from './image-config.ts';
import type { OciImageStore } from './image-store.ts';
import { TAR_END, type TarEntry, tarHeader, tarPadding } from './tar-header.ts';

/** A name in the image: content of a host file, text, a symbolic link, or a directory. Modes are 0644 (directories 0755) unless given. */
export type BuildFile = { readonly target: string; readonly mode?: number } & (
  | { readonly source: string }
  | { readonly content: string }
  | { readonly link: string }
  | { readonly directory: true }
);

/** One layer. Parents of its files are made as directories of mode 0755. */
export interface BuildLayer {
  readonly files: readonly BuildFile[];
}

/** An image to make. */
export interface BuildSpec {
  readonly name: string;
  /** Bottom first. */
  readonly layers: readonly BuildLayer[];
  readonly config: ImageProcess;
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Makes the image, or finds that it is there already. */
export async function buildImage(store: OciImageStore, spec: BuildSpec): Promise<ImageInfo> {
  const diffIds: string[] = [];
  for (const layer of spec.layers) diffIds.push(await buildLayer(store, layer));
  const env = spec.config.Env ?? [];
  const hasPath = env.some((entry) => entry.startsWith('PATH='));
  return store.add({
    names: [spec.name],
    config: {
      architecture: hostArchitecture(),
      os: 'linux',
      config: { ...spec.config, Env: hasPath ? env : [DEFAULT_PATH, ...env] },
      rootfs: { type: 'layers', diff_ids: diffIds },
    },
  });
}

type Node = BuildFile & { readonly mode: number };

async function buildLayer(store: OciImageStore, layer: BuildLayer): Promise<string> {
  const nodes = expand(layer);
  const memo = join(store.layers.directory, '..', 'built', `${fingerprint(nodes)}`);
  if (existsSync(memo)) {
    const known = readFileSync(memo, 'utf8');
    if (store.layers.find(known)) return known;
  }
  const directory = store.layers.stage();
  try {
    const { diffId, sizeBytes } = await fill(directory, nodes);
    store.layers.adopt({ diffId, sizeBytes }, directory);
    mkdirSync(dirname(memo), { recursive: true });
    writeFileSync(memo, diffId);
    return diffId;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** All names of the layer with their parents, sorted, without leading slashes. */
function expand(layer: BuildLayer): readonly Node[] {
  const nodes = new Map<string, Node>();
  for (const file of layer.files) {
    const target = posix.normalize(`/${file.target}`).replace(/^\/|\/$/g, '');
    if (target === '') throw new Error(`no file can be made at ${file.target}`);
    for (let parent = posix.dirname(target); parent !== '.'; parent = posix.dirname(parent))
      if (!nodes.has(parent)) nodes.set(parent, { target: parent, directory: true, mode: 0o755 });
    const fallback = 'directory' in file ? 0o755 : 0o644;
    nodes.set(target, { ...file, target, mode: file.mode ?? fallback });
  }
  return [...nodes.values()].sort((a, b) => (a.target < b.target ? -1 : 1));
}

/** Changes whenever a source may have changed. */
function fingerprint(nodes: readonly Node[]): string {
  const facts = nodes.map((node) => {
    if (!('source' in node)) return node;
    const { size, mtimeMs, ctimeMs, ino } = statSync(node.source);
    return { ...node, size, mtimeMs, ctimeMs, ino };
  });
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

/** Makes the files and hashes the tar that they stand for. The copy is hashed, not the source: a source may change meanwhile. */
async function fill(
  directory: string,
  nodes: readonly Node[],
): Promise<{ diffId: string; sizeBytes: number }> {
  const hash = createHash('sha256');
  let total = 0;
  for (const node of nodes) {
    const path = join(directory, node.target);
    make(path, node);
    const sizeBytes = 'source' in node || 'content' in node ? statSync(path).size : 0;
    hash.update(tarHeader(entryOf(node, sizeBytes)));
    if (sizeBytes > 0) {
      for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
        hash.update(chunk as Buffer);
      hash.update(tarPadding(sizeBytes));
    }
    total += sizeBytes;
  }
  for (const node of nodes.toReversed())
    if (!('link' in node)) utimesSync(join(directory, node.target), 0, 0);
  chmodSync(directory, 0o755);
  hash.update(TAR_END);
  return { diffId: `sha256:${hash.digest('hex')}`, sizeBytes: total };
}

function make(path: string, node: Node): void {
  if ('link' in node) {
    symlinkSync(node.link, path);
    return;
  }
  if ('directory' in node) mkdirSync(path, { recursive: true });
  else if ('source' in node) copyFileSync(node.source, path, constants.COPYFILE_FICLONE);
  else writeFileSync(path, node.content);
  chownSync(path, 0, 0);
  chmodSync(path, node.mode);
}

function entryOf(node: Node, sizeBytes: number): TarEntry {
  const base = { path: node.target, mode: node.mode };
  if ('link' in node)
    return { ...base, mode: 0o777, kind: 'link', sizeBytes: 0, target: node.link };
  return { ...base, kind: 'directory' in node ? 'directory' : 'file', sizeBytes };
}
