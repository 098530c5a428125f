// Layers that want to fill the disk or leave their image: each is refused with its reason, and nothing is left.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { imageScene, type LayerEntry, layerTar } from '../support/image-scene.ts';
import { endPulls, ended, refusal, set, signal } from '../support/hostile-image.ts';

afterEach(endPulls);

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
