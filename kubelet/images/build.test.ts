// Images made from host files: equal content, equal digests; and the digest is that of a real tar.
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { type BuildLayer, buildImage } from './build.ts';
import { createImageStore, type OciImageStore } from './image-store.ts';
import { nodeBaseLayer, parseLdd } from './node-base-layer.ts';
import { TAR_END, tarHeader, tarPadding } from './tar-header.ts';

const system = createLinuxSystem();
let folder: string;
let store: OciImageStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-build-'));
  store = createImageStore({ system, dir: join(folder, 'images'), logger: silentLogger });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const layers = () => readdirSync(store.layers.directory);
const source = (content: string) => {
  const path = join(folder, 'source');
  writeFileSync(path, content);
  return path;
};

describe('building', () => {
  it('makes files, links and directories with their modes', async () => {
    const files: BuildLayer['files'] = [
      { source: source('hello'), target: '/app/main', mode: 0o755 },
      { content: 'text', target: 'etc/note' },
      { link: '/app/main', target: '/bin/main' },
      { directory: true, target: '/tmp', mode: 0o1777 },
    ];
    const image = await buildImage(store, { name: 'a/b:1', layers: [{ files }], config: {} });
    expect(image).toMatchObject({ names: ['docker.io/a/b:1'], sizeBytes: 9 });
    const [root = ''] = store.layersOf(image.id);
    expect(readFileSync(join(root, 'app/main'), 'utf8')).toBe('hello');
    expect(statSync(join(root, 'app/main')).mode & 0o7777).toBe(0o755);
    expect(statSync(join(root, 'tmp')).mode & 0o7777).toBe(0o1777);
    expect(lstatSync(join(root, 'bin/main')).isSymbolicLink()).toBe(true);
  });

  it('shares layers of equal content between images, in whatever order files are named', async () => {
    const one = { content: '1', target: '/one' };
    const two = { content: '2', target: '/two' };
    const first = await buildImage(store, {
      name: 'a:1',
      layers: [{ files: [one, two] }],
      config: {},
    });
    const second = await buildImage(store, {
      name: 'b:1',
      layers: [{ files: [two, one] }, { files: [{ content: '3', target: '/three' }] }],
      config: {},
    });
    expect(layers()).toHaveLength(2);
    expect(store.layersOf(second.id).at(-1)).toBe(store.layersOf(first.id)[0]);
  });

  it('notices that a source has changed, and that only its time has', async () => {
    const build = () => {
      const files = [{ source: join(folder, 'source'), target: '/x' }];
      return buildImage(store, { name: 'a:1', layers: [{ files }], config: {} });
    };
    source('before');
    const before = await build();
    utimesSync(join(folder, 'source'), 1, 1);
    expect((await build()).id).toBe(before.id);
    source('after!');
    const after = await build();
    expect(after.id).not.toBe(before.id);
    expect((await store.resolve('a:1'))?.id).toBe(after.id);
  });

  it('names a layer by the digest of the tar that holds the same files', async () => {
    const files = [{ content: 'abc', target: '/d/f', mode: 0o600 }];
    const image = await buildImage(store, { name: 'a:1', layers: [{ files }], config: {} });
    const tar = Buffer.concat([
      tarHeader({ path: 'd', kind: 'directory', mode: 0o755, sizeBytes: 0 }),
      tarHeader({ path: 'd/f', kind: 'file', mode: 0o600, sizeBytes: 3 }),
      Buffer.from('abc'),
      tarPadding(3),
      TAR_END,
    ]);
    const digest = createHash('sha256').update(tar).digest('hex');
    expect(store.layersOf(image.id)[0]).toContain(digest.slice(0, 20));
    const { stdout } = await system.run('tar', ['--numeric-owner', '-tvf', '-'], { input: tar });
    expect(stdout.replaceAll(/ +/g, ' ')).toMatch(
      /^drwxr-xr-x 0\/0 0 1970\S* \S+ d\/\n-rw------- 0\/0 3 1970\S* \S+ d\/f\n$/,
    );
  });

  it('refuses paths that a tar cannot hold', () => {
    const entry = { mode: 0o644, kind: 'file', sizeBytes: 0 } as const;
    expect(() => tarHeader({ ...entry, path: 'x'.repeat(101) })).toThrow('too long');
    expect(() =>
      tarHeader({ ...entry, path: `${'y'.repeat(90)}/${'x'.repeat(90)}` }),
    ).not.toThrow();
  });
});

describe('the Node layer', () => {
  it('holds the binary, its loader and its libraries', async () => {
    const { files } = await nodeBaseLayer(system, process.execPath);
    const targets = files.map((file) => file.target);
    expect(targets).toContain('/usr/local/bin/node');
    expect(targets.some((target) => /\/ld-linux/.test(target))).toBe(true);
    expect(targets.some((target) => /\/libc\.so/.test(target))).toBe(true);
  });

  it('reads the output of ldd', () => {
    const text = `\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n\t/lib64/ld.so (0x3)\n`;
    expect(parseLdd(text)).toEqual(['/lib/libc.so.6', '/lib64/ld.so']);
  });
});
