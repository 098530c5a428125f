// Loading archives of both kinds, and refusing broken and hostile ones without a trace.
import { createHash } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { hostArchitecture } from './image-config.ts';
import { createImageStore, type OciImageStore } from './image-store.ts';
import { saveImages } from './save.ts';

const system = createLinuxSystem();
let folder: string;
let store: OciImageStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-store-'));
  store = createImageStore({ system, dir: join(folder, 'images'), logger: silentLogger });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sha = (bytes: Uint8Array | string) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

type Entry = Partial<Header> & { readonly name: string; readonly content?: string | Buffer };

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const stream = pack();
  for (const { content = '', ...header } of entries) stream.entry(header, content);
  stream.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

type Parts = {
  layers?: readonly Buffer[];
  compress?: (bytes: Buffer) => Buffer;
  diffIds?: readonly string[];
  architecture?: string;
  spoil?: 'layer' | 'config';
};

/** An OCI layout as a tar. */
async function ociArchive(name: string | undefined, parts: Parts): Promise<string> {
  const layers = parts.layers ?? [];
  const compress = parts.compress ?? ((bytes: Buffer) => bytes);
  const blobs = new Map<string, Buffer>();
  const blob = (bytes: Buffer) => {
    blobs.set(sha(bytes), bytes);
    return { digest: sha(bytes), size: bytes.length, mediaType: 'application/octet-stream' };
  };
  const config = {
    architecture: parts.architecture ?? hostArchitecture(),
    os: 'linux',
    config: { Entrypoint: ['/app'], Env: ['A=1'], User: 'shop', StopSignal: 'SIGINT' },
    rootfs: { type: 'layers', diff_ids: parts.diffIds ?? layers.map(sha) },
  };
  const configBlob = blob(Buffer.from(JSON.stringify(config)));
  const layerBlobs = layers.map((layer) => blob(compress(layer)));
  const manifest = { schemaVersion: 2, config: configBlob, layers: layerBlobs };
  const annotations = name && { 'org.opencontainers.image.ref.name': name };
  const manifests = [{ ...blob(Buffer.from(JSON.stringify(manifest))), annotations }];
  if (parts.spoil === 'config') blobs.set(configBlob.digest, Buffer.from('{}'));
  if (parts.spoil === 'layer') blobs.set(layerBlobs[0]?.digest ?? '', await tar([]));
  const file = join(folder, 'archive.tar');
  const entries = [...blobs].map(([digest, content]) => ({
    name: `blobs/sha256/${digest.slice(7)}`,
    content,
  }));
  const index = JSON.stringify({ schemaVersion: 2, manifests });
  writeFileSync(file, await tar([{ name: 'index.json', content: index }, ...entries]));
  return file;
}

const aLayer = () => tar([{ name: 'app', content: 'x', mode: 0o4755, uid: 12, gid: 34 }]);

/** Nothing of a refused archive is left. */
const expectNoTrace = async () => {
  expect(await store.list()).toEqual([]);
  expect(readdirSync(store.layers.directory)).toEqual([]);
  expect(readdirSync(join(folder, 'images', 'staging'))).toEqual([]);
};

describe('loading', () => {
  it.each([
    ['plain', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
    ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
  ])('takes an OCI layout with %s layers', async (_, compress) => {
    const file = await ociArchive('shop/a:1', { layers: [await aLayer()], compress });
    const [image] = await store.load(file);
    expect(image).toMatchObject({
      names: ['docker.io/shop/a:1'],
      entrypoint: ['/app'],
      env: ['A=1'],
      user: 'shop',
      stopSignal: 'SIGINT',
    });
    const app = lstatSync(join(store.layersOf(image?.id ?? '')[0] ?? '', 'app'));
    expect([app.mode & 0o7777, app.uid, app.gid]).toEqual([0o4755, 12, 34]);
    for (const name of ['shop/a:1', 'docker.io/shop/a:1', image?.id ?? ''])
      expect((await store.resolve(name))?.id).toBe(image?.id);
  });

  it('takes what docker save writes, compressed as a whole', async () => {
    const layer = await aLayer();
    const rootfs = { type: 'layers', diff_ids: [sha(layer)] };
    const config = JSON.stringify({ os: 'linux', config: {}, rootfs });
    const name = `${sha(config).slice(7)}.json`;
    const manifest = [{ Config: name, RepoTags: ['b:2', 'c/d:3'], Layers: ['one/layer.tar'] }];
    const bytes = await tar([
      { name: 'manifest.json', content: JSON.stringify(manifest) },
      { name, content: config },
      { name: 'one/layer.tar', content: layer },
    ]);
    const file = join(folder, 'docker.tar.gz');
    writeFileSync(file, gzipSync(bytes));
    const [image] = await store.load(file);
    expect(image?.id).toBe(sha(config));
    expect([...(image?.names ?? [])].sort()).toEqual(['docker.io/c/d:3', 'docker.io/library/b:2']);
  });

  it('saves what was loaded so that it is the same where it is loaded again', async () => {
    const layers = [await aLayer(), await tar([{ name: 'd/.wh.gone' }])];
    const config = JSON.stringify({
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map(sha) },
    });
    const manifest = ['b:2', 'c:3'].map((name) => ({
      Config: 'config.json',
      RepoTags: [name],
      Layers: ['one.tar', 'two.tar.gz'],
    }));
    const file = join(folder, 'docker.tar');
    const entries = [
      { name: 'manifest.json', content: JSON.stringify(manifest) },
      { name: 'config.json', content: config },
      { name: 'one.tar', content: layers[0] ?? '' },
      { name: 'two.tar.gz', content: gzipSync(layers[1] ?? '') },
    ];
    writeFileSync(file, await tar(entries));
    await store.load(file);
    const saved = join(folder, 'saved.tar');
    const output = createWriteStream(saved);
    await Promise.all([saveImages(store, ['b:2', 'c:3'], output), finished(output)]);
    const dir = join(folder, 'other');
    const other = createImageStore({ system, dir, logger: silentLogger });
    await other.load(saved);
    const known = store.find('b:2');
    expect(known?.manifest).toMatch(/^sha256:/);
    for (const name of ['b:2', 'c:3']) expect(other.find(name)).toEqual(known);
    expect((await other.resolve('c:3'))?.names).toHaveLength(2);
  });

  it('turns whiteouts into what overlayfs understands', async () => {
    const layer = await tar([
      { name: 'd', type: 'directory' },
      { name: 'd/.wh.gone' },
      { name: 'o', type: 'directory' },
      { name: 'o/.wh..wh..opq' },
    ]);
    const [image] = await store.load(await ociArchive('a:1', { layers: [layer] }));
    const [root = ''] = store.layersOf(image?.id ?? '');
    expect(lstatSync(join(root, 'd/gone'))).toMatchObject({ rdev: 0 });
    expect(lstatSync(join(root, 'd/gone')).isCharacterDevice()).toBe(true);
    expect(readdirSync(join(root, 'o'))).toEqual([]);
  });

  it('names a nameless archive as it is told', async () => {
    const file = await ociArchive(undefined, { layers: [await aLayer()] });
    const [image] = await store.load(file, { name: 'mine:1' });
    expect(image?.names).toEqual(['docker.io/library/mine:1']);
  });
});

describe('refusing', () => {
  it.each([
    ['a layer with another digest', { spoil: 'layer' }, 'does not have the digest'],
    ['a configuration with another digest', { spoil: 'config' }, 'does not have the digest'],
    ['another platform', { architecture: 's390x' }, 'this host is'],
    ['content with another digest', { diffIds: [`sha256:${'0'.repeat(64)}`] }, 'content does not'],
    ['layers that are not listed', { diffIds: [] }, 'lists 1 layers'],
  ] as const)('leaves nothing of %s', async (_, parts, message) => {
    const file = await ociArchive('a:1', { layers: [await aLayer()], ...parts });
    await expect(store.load(file)).rejects.toThrow(message);
    await expectNoTrace();
  });

  it('leaves nothing of a file that is no archive, is cut off, or is not there', async () => {
    const file = join(folder, 'x');
    await expect(store.load(file)).rejects.toThrow('there is no file');
    writeFileSync(file, 'this is text');
    await expect(store.load(file)).rejects.toThrow('the tar ends in the middle of a file');
    writeFileSync(file, await tar([{ name: 'readme', content: 'x' }]));
    await expect(store.load(file)).rejects.toThrow('no image archive');
    const whole = gzipSync(readFileSync(await ociArchive('a:1', { layers: [await aLayer()] })));
    writeFileSync(file, whole.subarray(0, whole.length / 2));
    await expect(store.load(file)).rejects.toThrow('the archive is broken');
    await expectNoTrace();
  });

  it.each([
    ['climbs out', [{ name: '../../escaped', content: 'x' }], 'leaves the image (..)'],
    [
      'goes through a link',
      [
        { name: 'out', type: 'symlink', linkname: '../../..' },
        { name: 'out/escaped', content: 'x' },
      ],
      'goes through "out", a link that leads out of the image',
    ],
  ] as const)('writes nothing outside when a layer %s', async (_, entries, message) => {
    const file = await ociArchive('a:1', { layers: [await tar(entries)] });
    await expect(store.load(file)).rejects.toThrow(message);
    for (let place = store.layers.directory; place !== '/'; place = dirname(place))
      expect(existsSync(join(place, 'escaped'))).toBe(false);
    await expectNoTrace();
  });

  it('reads no file of the host through a link in the archive', async () => {
    const manifest = [{ Config: 'config.json', RepoTags: ['a:1'], Layers: [] }];
    const bytes = await tar([
      { name: 'manifest.json', content: JSON.stringify(manifest) },
      { name: 'config.json', type: 'symlink', linkname: '/etc/passwd' },
    ]);
    const file = join(folder, 'x.tar');
    writeFileSync(file, bytes);
    await expect(store.load(file)).rejects.toThrow('no file of the archive');
    await expectNoTrace();
  });
});

describe('removing', () => {
  it('takes names away first, then the image, then layers that nobody needs', async () => {
    // One layer: two that are made alike differ where a second ends between them.
    const layers = [await aLayer()];
    const [image] = await store.load(await ociArchive('a:1', { layers }));
    await store.load(await ociArchive('b:1', { layers }));
    expect((await store.resolve('a:1'))?.names).toHaveLength(2);
    expect(await store.remove('a:1')).toBe(true);
    expect(await store.resolve('a:1')).toBeUndefined();
    await store.prune();
    expect(readdirSync(store.layers.directory)).toHaveLength(1);
    expect(await store.remove(image?.id ?? '')).toBe(true);
    await store.prune();
    await expectNoTrace();
    expect(await store.remove('a:1')).toBe(false);
  });

  it('removes what a process that is gone left half done, and nothing of one that lives', async () => {
    const work = join(folder, 'images', 'staging');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
    const dead = join(work, `999999999-1-${boot}-abc`);
    mkdirSync(dead);
    const leases = join(folder, 'images', 'leases');
    writeFileSync(join(leases, `999999999-1-${boot}-0.json`), '[]');
    const mine = store.staging.directory();
    await store.prune();
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(mine)).toBe(true);
    expect(readdirSync(leases)).toEqual([]);
    rmSync(mine, { recursive: true });
  });

  it('tells what images take, and what their file system has', async () => {
    const before = await store.usage();
    await store.load(await ociArchive('a:1', { layers: [await aLayer()] }));
    const after = await store.usage();
    expect(after.usedBytes - before.usedBytes).toBeGreaterThan(2_000);
    expect(after.inodesUsed).toBeGreaterThan(before.inodesUsed);
    expect(after.capacityBytes).toBeGreaterThan(after.availableBytes);
    await store.remove('a:1');
    expect((await store.usage()).usedBytes).toBe(before.usedBytes);
  });

  it('keeps a layer that is mounted', async () => {
    const [image] = await store.load(await ociArchive('a:1', { layers: [await aLayer()] }));
    const [lower = ''] = store.layersOf(image?.id ?? '');
    const [target, upper, work] = ['m', 'u', 'w'].map((name) => join(folder, name));
    for (const path of [target, upper, work]) mkdirSync(path ?? '');
    const data = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    system.mount({ source: 'overlay', target: target ?? '', type: 'overlay', data });
    try {
      await store.remove('a:1');
      await store.prune();
      expect(existsSync(lower)).toBe(true);
    } finally {
      system.unmount(target ?? '');
    }
    await store.prune();
    expect(existsSync(lower)).toBe(false);
  });
});
