// Images of a store as an OCI archive (a tar) that other runtimes load: `ctr images import`.
// Invariant: each layer is packed once, however many images share it; the archive holds nothing but them.
import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { OciImageStore } from '../../kubelet/images/image-store.ts';
import type { System } from '../../system/system.ts';

const OCI = 'application/vnd.oci.image';

interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** Writes these images, whose full names are `docker.io/…` or begin with another registry's, to a file. */
export async function writeImageArchive(
  doors: { system: System; store: OciImageStore },
  names: readonly string[],
  file: string,
): Promise<void> {
  const folder = mkdtempSync(join(dirname(file), 'archive-'));
  const blobs = join(folder, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const layers = new Map<string, Promise<Blob>>();
  const layerOf = (directory: string) => {
    const known = layers.get(directory) ?? packLayer(doors.system, blobs, directory);
    layers.set(directory, known);
    return known;
  };
  const manifests = [];
  for (const name of names) {
    const image = await doors.store.resolve(name);
    if (!image) throw new Error(`there is no image ${name}`);
    const packed: Blob[] = [];
    for (const directory of doors.store.layersOf(image.id).toReversed())
      packed.push(await layerOf(directory));
    const { entrypoint, cmd, env, workingDir, user } = image;
    const config = writeJson(blobs, {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: entrypoint, Cmd: cmd, Env: env, WorkingDir: workingDir, User: user },
      rootfs: { type: 'layers', diff_ids: packed.map(({ digest }) => digest) },
    });
    const manifest = writeJson(blobs, {
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: { mediaType: `${OCI}.config.v1+json`, ...config },
      layers: packed.map((layer) => ({ mediaType: `${OCI}.layer.v1.tar`, ...layer })),
    });
    const annotations = { 'io.containerd.image.name': image.names[0] ?? name };
    manifests.push({ mediaType: `${OCI}.manifest.v1+json`, ...manifest, annotations });
  }
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  await doors.system.run('tar', ['-C', folder, '-cf', file, '.']);
  rmSync(folder, { recursive: true, force: true });
}

async function packLayer(system: System, blobs: string, directory: string): Promise<Blob> {
  const draft = join(blobs, 'draft');
  const order = ['--sort=name', '--numeric-owner', '--mtime=@0'];
  await system.run('tar', [...order, '-C', directory, '-cf', draft, '.']);
  const hash = createHash('sha256');
  for await (const part of createReadStream(draft)) hash.update(part as Buffer);
  const hex = hash.digest('hex');
  const { size } = statSync(draft);
  renameSync(draft, join(blobs, hex));
  return { digest: `sha256:${hex}`, size };
}

function writeJson(blobs: string, value: object): Blob {
  const bytes = Buffer.from(JSON.stringify(value));
  const hex = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(blobs, hex), bytes);
  return { digest: `sha256:${hex}`, size: bytes.length };
}
