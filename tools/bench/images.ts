// Images: how fast a layer is unpacked and an image pulled, and what it costs to have it on the disk before it counts.
// Invariant: each figure stands beside what tar and gunzip need for the same bytes, measured in turn with it in the same run.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { seededRandom } from '../../base/random.ts';
import type { ImageConfig } from '../../kubelet/images/image-config.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { startRegistry } from '../../test/support/docker-registry.ts';
import { type ImageScene, imageScene } from '../../test/support/image-scene.ts';
import { median, type Note, type Part } from './part.ts';

const ROUNDS = 3;
const MB = 1e6;
const LARGE = { count: 48, bytes: 1024 * 1024 };
const SMALL = { count: 6_000, bytes: 8 * 1024 };
const REGISTRY = '/usr/bin/docker-registry';
const OCI = 'application/vnd.oci.image';
const system = createLinuxSystem();

/** A layer as a registry would give it, and as it is inside. */
interface Layer {
  readonly tar: string;
  readonly packed: string;
  readonly diffId: string;
  readonly digest: string;
  readonly megabytes: number;
}

/** Hex digits of chance: they pack to about half, as programs do. */
function fill(directory: string): void {
  const random = seededRandom(1);
  const noise = Array.from({ length: LARGE.bytes / 8 }, () =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
  for (const [kind, { count, bytes }] of Object.entries({ large: LARGE, small: SMALL }))
    for (let i = 0; i < count; i += 1) {
      const folder = join(directory, kind, `${i % 64}`);
      mkdirSync(folder, { recursive: true });
      const from = (i * 4_099) % (noise.length - bytes + 1);
      writeFileSync(join(folder, `${i}`), noise.slice(from, from + bytes));
    }
}

async function digestOf(file: string): Promise<string> {
  const { stdout } = await system.run('sha256sum', [file]);
  return `sha256:${stdout.slice(0, 64)}`;
}

async function aLayer(directory: string): Promise<Layer> {
  const [files, tar] = [join(directory, 'files'), join(directory, 'layer.tar')];
  mkdirSync(files);
  fill(files);
  await system.run('tar', ['-cf', tar, '-C', files, '.']);
  rmSync(files, { recursive: true });
  await system.run('gzip', ['-k', tar], { timeoutMs: 120_000 });
  const packed = `${tar}.gz`;
  const [diffId, digest] = [await digestOf(tar), await digestOf(packed)];
  return { tar, packed, diffId, digest, megabytes: statSync(tar).size / MB };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** By tar alone, gunzip alone, both, and by the store; each in a fresh folder. */
async function unpackings(directory: string, layer: Layer) {
  const into = mkdtempSync(join(directory, 'out-'));
  const scene = imageScene();
  const sh = (script: string) =>
    system.run('sh', ['-c', script, 'sh', layer.packed, into, layer.tar], { timeoutMs: 120_000 });
  try {
    const gunzip = await secondsOf(() => sh('gunzip -c "$1" > /dev/null'));
    const both = await secondsOf(() => sh('gunzip -c "$1" | tar -xf - -C "$2"'));
    const sizeBytes = statSync(layer.packed).size;
    const source = { file: layer.packed, sizeBytes, diffId: layer.diffId };
    const store = await secondsOf(() => scene.store.addLayer(source));
    const durable = await secondsOf(() => record(scene, layer, 'bench/unpacked:1'));
    return { gunzip, both, store, durable };
  } finally {
    scene.dispose();
    rmSync(into, { recursive: true });
  }
}

/** Records an image of the one layer, which the store has. */
async function record(scene: ImageScene, layer: Layer, name: string): Promise<void> {
  const { store } = scene;
  const config: ImageConfig = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
  };
  const configBytes = Buffer.from(JSON.stringify(config));
  const sizeOf = (file: string) => statSync(file).size;
  const copy = join(scene.folder, 'copy');
  await copyFile(layer.packed, copy);
  store.blobs.adopt(layer.digest, copy);
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: {
      mediaType: `${OCI}.config.v1+json`,
      digest: `sha256:${createHash('sha256').update(configBytes).digest('hex')}`,
      size: configBytes.length,
    },
    layers: [
      {
        mediaType: `${OCI}.layer.v1.tar+gzip`,
        digest: layer.digest,
        size: sizeOf(layer.packed),
      },
    ],
  };
  const digest = store.blobs.put(Buffer.from(JSON.stringify(manifest)));
  await store.add({ config, configBytes, names: [name], manifest: digest });
}

async function measureUnpacking(note: Note, directory: string, layer: Layer): Promise<void> {
  const rounds: Awaited<ReturnType<typeof unpackings>>[] = [];
  for (let i = 0; i < ROUNDS; i += 1) rounds.push(await unpackings(directory, layer));
  const seconds = (of: (round: (typeof rounds)[number]) => number) => median(rounds.map(of));
  const rate = (of: (round: (typeof rounds)[number]) => number) => layer.megabytes / seconds(of);
  const unit = 'MB/s';
  const size = `${layer.megabytes.toFixed(0)} MB in ${LARGE.count + SMALL.count} files`;
  note({ what: `calibration: gunzip alone, ${size}`, value: rate((r) => r.gunzip), unit });
  note({ what: 'calibration: gunzip | tar -x', value: rate((r) => r.both), unit });
  note({ what: 'the same layer unpacked, vetted and hashed', value: rate((r) => r.store), unit });
  const what = 'recorded, with all of it on the disk';
  note({ what, value: 1000 * seconds((r) => r.durable), unit: 'ms' });
}

async function measurePulling(note: Note, layer: Layer): Promise<void> {
  if (!existsSync(REGISTRY)) {
    process.stderr.write('  docker-registry is not installed: nothing is pulled\n');
    return;
  }
  const registry = await startRegistry();
  const from = imageScene();
  try {
    const name = `${registry.host}/bench/pulled:1`;
    const sizeBytes = statSync(layer.packed).size;
    await from.store.addLayer({ file: layer.packed, sizeBytes, diffId: layer.diffId });
    await record(from, layer, name);
    await from.push(name);
    const seconds: number[] = [];
    for (let i = 0; i < ROUNDS; i += 1) {
      const to = imageScene();
      const { signal } = new AbortController();
      seconds.push(await secondsOf(async () => to.store.pull(name, { signal })));
      to.dispose();
    }
    const what = 'pulled from a registry on loopback, to the record on the disk';
    note({ what, value: layer.megabytes / median(seconds), unit: 'MB/s' });
  } finally {
    from.dispose();
    await registry.stop();
  }
}

/** What `npm run bench -- images` measures. */
export const images: Part = {
  name: 'images',
  async measure(note, directory) {
    const layer = await aLayer(directory);
    await measureUnpacking(note, directory, layer);
    await measurePulling(note, layer);
  },
};
