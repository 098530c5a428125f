// Registries and images that lie, break off, stall, or want to fill or leave the disk: each is refused with its reason, and nothing is left.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { RegistryPatience } from '../../kubelet/images/registry/exchange.ts';
import {
  type HostileImage,
  hostileRegistry,
  type HostileRegistry,
  type Misbehaviour,
  sha,
} from '../support/hostile-registry.ts';
import { type ImageScene, imageScene, type LayerEntry, layerTar } from '../support/image-scene.ts';
import { until } from '../support/until.ts';

const { signal } = new AbortController();
const ended: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

interface Case {
  readonly image?: HostileImage;
  readonly misbehave?: Misbehaviour;
  readonly settings?: object;
  readonly patience?: Partial<RegistryPatience>;
}

const good = () => layerTar([{ name: 'file', content: 'x'.repeat(100_000) }]);

async function set({
  image,
  misbehave,
  settings,
  patience,
}: Case): Promise<{ registry: HostileRegistry; scene: ImageScene }> {
  const registry = await hostileRegistry(image ?? { layers: [await good()] }, misbehave);
  const scene = imageScene(settings, patience);
  ended.push(
    () => registry.stop(),
    () => scene.dispose(),
  );
  return { registry, scene };
}

/** What a pull of it says; nothing is left of it. */
async function refusal(parts: Case): Promise<{ reason: string; message: string }> {
  const { registry, scene } = await set(parts);
  const failure = await scene.store.pull(registry.name, { signal })?.then(
    () => ({ reason: 'none', message: 'it was pulled' }),
    (error: unknown) => error as { reason: string; message: string },
  );
  expect(scene.left()).toEqual([]);
  expect(readdirSync(scene.store.layers.directory)).toEqual([]);
  return failure ?? { reason: 'none', message: 'nowhere to pull from' };
}

const isBlob = ({ url = '' }: IncomingMessage) => url.includes('/blobs/');
const answer =
  (status: number, headers: Record<string, string> = {}): Misbehaviour =>
  (_, response) => {
    response.writeHead(status, headers).end('{}');
    return false;
  };

describe('a blob', () => {
  it('that was changed is refused', async () => {
    const swap = (_: string, bytes: Buffer) =>
      bytes[0] === 0x1f ? Buffer.from(bytes).fill(0, 30, 40) : bytes;
    const { reason, message } = await refusal({ image: { layers: [await good()], swap } });
    expect(reason).toBe('ErrImagePull');
    expect(message).toMatch(/a blob does not have the digest sha256:/);
  });

  it('that is a configuration under another digest is refused', async () => {
    const swap = (_: string, bytes: Buffer) =>
      bytes.includes('diff_ids') ? Buffer.from(bytes.toString().replace('linux', 'linus')) : bytes;
    const { message } = await refusal({ image: { layers: [await good()], swap } });
    expect(message).toMatch(/a blob does not have the digest/);
  });

  it('of another size than its manifest tells is refused before it is fetched', async () => {
    const { message } = await refusal({ image: { layers: [await good()], sizes: [5] } });
    expect(message).toMatch(/\d+ bytes of sha256:\w+ are offered, 5 are missing by its manifest/);
  });

  it('that goes on past its size is refused', async () => {
    const endless: Misbehaviour = (request, response) => {
      if (!isBlob(request)) return true;
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
      return false;
    };
    const { message } = await refusal({ misbehave: endless });
    expect(message).toMatch(/is larger than the \d+ bytes of its manifest/);
  });

  it('whose content is not what its configuration tells is refused', async () => {
    const diffIds = [sha('something else')];
    const { message } = await refusal({ image: { layers: [await good()], diffIds } });
    expect(message).toMatch(/layer sha256:\w+: a layer's content does not have the digest/);
  });

  it('that is cut off is continued where it ended', async () => {
    const layer = await layerTar([
      { name: 'a', content: Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i) % 253)) },
    ]);
    const image = { layers: [layer], compress: (tar: Buffer) => tar };
    let cuts = 0;
    const cutting: Misbehaviour = (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (!(request.url ?? '').endsWith(sha(layer)) || cuts++ > 3) return true;
      const left = layer.length - from;
      response.writeHead(from > 0 ? 206 : 200, {
        'content-length': left,
        ...(from > 0 && { 'content-range': `bytes ${from}-${layer.length - 1}/${layer.length}` }),
      });
      response.write(layer.subarray(from, from + 30_000), () => response.destroy());
      return false;
    };
    const { registry, scene } = await set({ image, misbehave: cutting });
    const pulled = await scene.store.pull(registry.name, { signal });
    expect(pulled?.names).toEqual([registry.name]);
    expect(cuts).toBeGreaterThan(3);
  });

  it('that ends early each time is given up', async () => {
    const short: Misbehaviour = (request, response) => {
      if (!isBlob(request)) return true;
      response.writeHead(200).flushHeaders();
      response.destroy();
      return false;
    };
    const { reason, message } = await refusal({ misbehave: short });
    expect(reason).toBe('RegistryUnavailable');
    expect(message).toMatch(/cut, after 0 of \d+ bytes of sha256:/);
  });

  it('that stalls is given up', async () => {
    const stalling: Misbehaviour = (request, response) => {
      if (!isBlob(request)) return true;
      response.writeHead(200).write('x');
      return false;
    };
    const { reason, message } = await refusal({ misbehave: stalling, patience: { stallMs: 100 } });
    expect(reason).toBe('RegistryUnavailable');
    expect(message).toMatch(/said nothing within 100 ms/);
  });
});

describe('a manifest', () => {
  it.each([
    [
      'without end',
      (_: IncomingMessage, response: ServerResponse) => void response.write(Buffer.alloc(2 ** 23)),
      /the manifest is larger than 4194304 bytes/,
    ],
    [
      'that is not JSON',
      (_: IncomingMessage, response: ServerResponse) => void response.end('<html>'),
      /not JSON/,
    ],
    [
      'of schema 1',
      (_: IncomingMessage, response: ServerResponse) => void response.end('{"schemaVersion":1}'),
      /Docker schema 1/,
    ],
    [
      'under another digest',
      (_: IncomingMessage, response: ServerResponse) =>
        void response.setHeader('docker-content-digest', sha('x')).end('{"schemaVersion":2}'),
      /does not have the digest/,
    ],
    ['that never comes', () => undefined, /said nothing within 300 ms/],
  ])('%s is refused', async (_, act, message) => {
    const misbehave: Misbehaviour = (request, response) => {
      act(request, response);
      return false;
    };
    expect((await refusal({ misbehave, patience: { stallMs: 300 } })).message).toMatch(message);
  });

  it.each([
    [
      'an artifact',
      { config: { mediaType: 'application/wasm', digest: sha('a'), size: 1 } },
      /it is no image/,
    ],
    [
      'foreign layers',
      {
        layers: [
          {
            mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
            digest: sha('a'),
            size: 1,
          },
        ],
      },
      /is foreign/,
    ],
    ['too many layers', { layers: Array.from({ length: 129 }, () => ({})) }, /129 layers; at most/],
    ['two forms at once', { manifests: [] }, /an index and a manifest at once/],
    [
      'a negative size',
      { layers: [{ mediaType: 'x', digest: sha('a'), size: -1 }] },
      /has no size/,
    ],
    [
      'another digest than sha256',
      { layers: [{ mediaType: 'x', digest: 'md5:0', size: 1 }] },
      /no sha256 digest/,
    ],
    [
      'more than fits on the disk',
      {
        layers: [
          { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha('a'), size: 2 ** 35 },
        ],
      },
      /bytes to fetch, and the disk has \d+ left/,
    ],
  ])('of %s is refused', async (_, manifest, message) => {
    const settings = { limits: { reservedBytes: Number.MAX_SAFE_INTEGER } };
    expect((await refusal({ image: { layers: [], manifest }, settings })).message).toMatch(message);
  });

  it('for other platforms only tells which', async () => {
    const entry = (architecture: string) => ({
      digest: sha(architecture),
      size: 1,
      mediaType: '',
      platform: { os: 'linux', architecture },
    });
    const index = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [entry('s390x'), entry('riscv64')],
    };
    const misbehave: Misbehaviour = (_, response) => {
      response.end(JSON.stringify(index));
      return false;
    };
    const { message } = await refusal({ misbehave });
    expect(message).toMatch(
      /there is no image for linux\/\w+; it is for linux\/riscv64, linux\/s390x/,
    );
  });
});

describe('a registry', () => {
  it.each([
    [
      'redirects in circles',
      answer(307, { location: '/v2/again' }),
      'ErrImagePull',
      /redirects more than 5 times/,
    ],
    ['fails each time', answer(500), 'RegistryUnavailable', /answers 500/],
    [
      'wants fewer requests',
      answer(429, { 'retry-after': '3600' }),
      'RegistryUnavailable',
      /asks for fewer requests \(429\)/,
    ],
    [
      'names no token server',
      answer(401, { 'www-authenticate': 'Bearer realm="nowhere"' }),
      'ErrImagePull',
      /names no token server/,
    ],
    ['lets nobody in', answer(403), 'ErrImagePull', /access is denied \(403\)/],
  ])('that %s is given up', async (...[, misbehave, reason, message]) => {
    expect(await refusal({ misbehave, patience: { attempts: 3 } })).toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });

  it('that fails for a while is asked again', async () => {
    let asked = 0;
    const misbehave: Misbehaviour = (request, response) =>
      asked++ % 3 < 2 ? answer(503)(request, response) : true;
    const { registry, scene } = await set({ misbehave });
    expect((await scene.store.pull(registry.name, { signal }))?.names).toEqual([registry.name]);
  });

  it('is told no password of another: redirects are followed without it', async () => {
    const heard: (string | undefined)[] = [];
    const layer = await good();
    const other = await set({
      image: { layers: [layer] },
      misbehave: ({ headers }) => (heard.push(headers.authorization), true),
    });
    const first = await set({
      image: { layers: [layer] },
      misbehave: (request, response) => {
        if (request.headers.authorization === undefined)
          return answer(401, { 'www-authenticate': 'Basic realm="x"' })(request, response);
        if (!isBlob(request)) return true;
        return answer(307, { location: `http://${other.registry.host}${request.url}` })(
          request,
          response,
        );
      },
    });
    const credentials = [{ username: 'a', password: 'b' }];
    await first.scene.store.pull(first.registry.name, { signal, credentials });
    expect(heard.length).toBe(2);
    expect(heard.every((header) => header === undefined)).toBe(true);
  });

  it('is left at once when the pull is given up, and nothing is left of it', async () => {
    const begun: Misbehaviour = (request, response) => {
      if (!isBlob(request)) return true;
      response.writeHead(200).write('x');
      return false;
    };
    const { registry, scene } = await set({ misbehave: begun });
    const giveUp = new AbortController();
    const pulling = scene.store
      .pull(registry.name, { signal: giveUp.signal })
      ?.catch((error: unknown) => error);
    await until(() => registry.requests.some((each) => each.includes('/blobs/')));
    giveUp.abort(new Error('the pod is gone'));
    expect(await pulling).toMatchObject({ message: 'the pod is gone' });
    expect(scene.left()).toEqual([]);
  });

  it('may be slow: what is there already of its image is not pruned meanwhile', async () => {
    const layers = [await good(), await layerTar([{ name: 'second', content: 'y' }])];
    const held: (() => void)[] = [];
    let waits = true;
    const slow: Misbehaviour = (request, response) => {
      if (!waits || !(request.url ?? '').endsWith(sha(gzipSync(layers[1] ?? '')))) return true;
      held.push(() => response.destroy());
      return false;
    };
    const { registry, scene } = await set({ image: { layers }, misbehave: slow });
    const pulling = scene.store.pull(registry.name, { signal });
    const unpacked = () => readdirSync(scene.store.layers.directory).length;
    await until(() => held.length > 0 && unpacked() === 1);
    await scene.store.prune();
    expect(unpacked()).toBe(1);
    waits = false;
    for (const release of held) release();
    expect(await pulling).toMatchObject({ names: [registry.name] });
  });

  it('is asked once for a layer that two images need at once', async () => {
    const { registry, scene } = await set({});
    const names = [registry.name, registry.name.replace('bad/image', 'other/image')];
    await Promise.all(names.map(async (name) => scene.store.pull(name, { signal })));
    expect(registry.requests.filter((each) => each.includes('/blobs/')).length).toBe(2);
    expect(await scene.store.list()).toHaveLength(1);
  });
});

describe('a layer', () => {
  const MIB = 2 ** 20;

  it.each([
    ['gzip', (tar: Buffer) => gzipSync(tar)],
    ['zstd', (tar: Buffer) => zstdCompressSync(tar)],
  ])('that is a bomb (%s) is refused while it unpacks', async (_, compress) => {
    const layers = [await layerTar([{ name: 'zeros', content: Buffer.alloc(32 * MIB) }])];
    const settings = { limits: { bombFloorBytes: MIB, bombRatio: 20 } };
    const { reason, message } = await refusal({ image: { layers, compress }, settings });
    expect(reason).toBe('ErrImagePull');
    expect(message).toMatch(
      /layer sha256:\w+: its \d+ bytes unpack to more than \d+: it is made to fill the disk/,
    );
  });

  it('that is larger than may be, or than the disk has room for, is refused', async () => {
    const layers = [await layerTar([{ name: 'zeros', content: Buffer.alloc(4 * MIB) }])];
    const limits = { unpackedLayerBytes: MIB };
    expect((await refusal({ image: { layers }, settings: { limits } })).message).toMatch(
      /unpacks to more than 1048576 bytes/,
    );
  });

  const outside: [string, readonly LayerEntry[], RegExp][] = [
    ['a path with ..', [{ name: '../../escaped', content: 'x' }], /leaves the image \(\.\.\)/],
    ['a path with .. inside', [{ name: 'a/../../escaped', content: 'x' }], /leaves the image/],
    [
      'an absolute link',
      [
        { name: 'out', type: 'symlink', linkname: 'HERE' },
        { name: 'out/escaped', content: 'x' },
      ],
      /goes through "out", a link that leads out/,
    ],
    [
      'a link with ..',
      [
        { name: 'd/out', type: 'symlink', linkname: '../../../..' },
        { name: 'd/out/escaped', content: 'x' },
      ],
      /goes through "d\/out"/,
    ],
    [
      'a link to a link',
      [
        { name: 'one', type: 'symlink', linkname: 'two' },
        { name: 'two', type: 'symlink', linkname: 'HERE' },
        { name: 'one/escaped', content: 'x' },
      ],
      /one\/escaped/,
    ],
    [
      'a hard link to ..',
      [{ name: 'hard', type: 'link', linkname: '../../../secret' }],
      /hard link to .* leaves the image/,
    ],
    [
      'a hard link through a link',
      [
        { name: 'out', type: 'symlink', linkname: 'HERE' },
        { name: 'hard', type: 'link', linkname: 'out/secret' },
      ],
      /goes through "out"/,
    ],
    [
      'a hidden name through a link',
      [
        { name: 'out', type: 'symlink', linkname: 'HERE' },
        { name: 'out/.wh.secret', content: '' },
      ],
      /goes through "out"/,
    ],
    [
      'a hidden name below what becomes a link',
      [
        { name: 'd/.wh.secret', content: '' },
        { name: 'd', type: 'symlink', linkname: 'HERE' },
      ],
      /hides names below "d"/,
    ],
    ['a hidden name that is none', [{ name: 'd/.wh...', content: '' }], /hides no name/],
    [
      'a name of a pax header with ..',
      [{ name: `${'p/'.repeat(80)}../../../../escaped`, content: 'x' }],
      /leaves the image/,
    ],
    [
      'a name that is too long',
      [{ name: 'n'.repeat(256), content: 'x' }],
      /a name that is too long/,
    ],
  ];
  it.each(outside)(
    'with %s is refused, and writes nothing outside',
    async (_, entries, message) => {
      const here = imageScene();
      ended.push(() => here.dispose());
      mkdirSync(join(here.folder, 'target'));
      const target = join(here.folder, 'target');
      writeFileSync(join(target, 'secret'), 'untouched');
      const placed = entries.map((entry) => ({
        ...entry,
        ...(entry.linkname && { linkname: entry.linkname.replace('HERE', target) }),
      }));
      const failure = await refusal({ image: { layers: [await layerTar(placed)] } });
      expect(failure.message).toMatch(message);
      expect(readdirSync(target)).toEqual(['secret']);
      expect(existsSync(join(here.folder, 'escaped'))).toBe(false);
    },
  );

  it('may have links that lead out, and devices, attributes and duplicates: they are kept as they are', async () => {
    const layer = await layerTar([
      { name: '/etc/', type: 'directory' },
      { name: 'etc/twice', content: 'first' },
      { name: 'etc/twice', content: 'second' },
      { name: 'run', type: 'symlink', linkname: '/var/run' },
      { name: 'lib', type: 'symlink', linkname: 'usr/lib' },
      { name: 'usr/lib/', type: 'directory' },
      { name: 'lib/through', content: 'inside' },
      { name: 'null', type: 'character-device', devmajor: 1, devminor: 3 },
      { name: 'both/', type: 'directory' },
      { name: 'both/own', content: 'x' },
      { name: '.wh.both', content: '' },
    ]);
    const { registry, scene } = await set({ image: { layers: [layer] } });
    const pulled = await scene.store.pull(registry.name, { signal });
    const [root = ''] = scene.store.layersOf(pulled?.id ?? '');
    expect(readdirSync(root).sort((a, b) => (a < b ? -1 : 1))).toEqual([
      'both',
      'etc',
      'lib',
      'null',
      'run',
      'usr',
    ]);
    expect(readdirSync(join(root, 'usr/lib'))).toEqual(['through']);
  });
});
