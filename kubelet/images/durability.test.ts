// Tests of what a loss of power leaves of images: nothing that is half there is taken for whole. The host's boots are told by its boot id.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { recordedLogger } from '../../test/support/recorded-logger.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { CommandError, type System } from '../../system/system.ts';
import { buildImage } from './build.ts';
import { createImageStore } from './image-store.ts';

const real = createLinuxSystem();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-durable-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The host as it is after a boot of this name. */
const booted = (boot: string): System => ({
  ...real,
  read: (path) => (path === BOOT_ID ? `${boot}\n` : real.read(path)),
});
const open = (system: System, logger = silentLogger) =>
  createImageStore({ system, dir: join(folder, 'images'), logger });
const image = (name: string, content: string) => ({
  name,
  layers: [{ files: [{ content, target: '/file' }] }],
  config: {},
});
const paths = (kind: 'images' | 'names' | 'layers' | 'layer-info') =>
  readdirSync(join(folder, 'images', kind)).map((name) => join(folder, 'images', kind, name));

describe('an image', () => {
  it('is recorded after all that it needs is on the disk, and not before', async () => {
    const seen: unknown[] = [];
    const run: System['run'] = (command, args, options) => {
      if (command === 'sync')
        seen.push(args.at(-1), paths('layers').length, paths('images').length);
      return real.run(command, args, options);
    };
    await buildImage(open({ ...real, run }), image('a:1', 'one'));
    expect(seen).toEqual([join(folder, 'images'), 1, 0]);
    expect(paths('images')).toHaveLength(1);
  });

  it('is refused with the reason where the disk does not take it', async () => {
    const stderr = 'sync: error syncing: Input/output error';
    const run: System['run'] = (command, args, options) =>
      command === 'sync'
        ? Promise.reject(new CommandError(command, { exitCode: 1, stderr }))
        : real.run(command, args, options);
    const store = open({ ...real, run });
    await expect(buildImage(store, image('a:1', 'one'))).rejects.toThrow(
      'the disk does not take the image: sync: error syncing: Input/output error',
    );
    expect(await store.resolve('a:1')).toBeUndefined();
  });

  it('may be recorded by several at once, as by pulls of two of its names', async () => {
    const store = open(real);
    const { id } = await buildImage(store, image('a:1', 'one'));
    const [record] = store.records.images();
    if (!record) throw new Error('no record');
    const others = ['a', 'b', 'c'].map((manifest) => ({ ...record, manifest }));
    await Promise.all(others.map((other) => store.records.putImage(other)));
    expect(others).toContainEqual(store.records.image(id));
    expect(paths('images')).toHaveLength(1);
  });

  it('that is there already is not written again', async () => {
    const synced: string[] = [];
    const run: System['run'] = (command, args, options) => {
      synced.push(command);
      return real.run(command, args, options);
    };
    await buildImage(open(real), image('a:1', 'one'));
    await buildImage(open({ ...real, run }), image('a:1', 'one'));
    expect(synced).toEqual([]);
  });
});

describe('after a loss of power', () => {
  it('a layer that no image was recorded with is brought anew, and others stay', async () => {
    const before = open(booted('one'));
    const whole = await buildImage(before, image('whole:1', 'one'));
    const half = await buildImage(before, image('half:1', 'two'));
    const [layer = ''] = before.layersOf(half.id);
    before.records.removeName('docker.io/library/half:1');
    before.records.removeImage(half.id);
    truncateSync(join(layer, 'file'));

    const { logger, lines } = recordedLogger();
    const after = open(booted('two'), logger);
    expect(lines.map(({ message }) => message)).toEqual([
      'images were not written whole before the host went down; they are brought anew',
    ]);
    expect(existsSync(layer)).toBe(false);
    expect((await after.resolve('whole:1'))?.id).toBe(whole.id);
    await buildImage(after, image('half:1', 'two'));
    expect(readFileSync(join(layer, 'file'), 'utf8')).toBe('two');
    await after.staging.removeAbandoned();
    expect(readdirSync(join(folder, 'images', 'staging'))).toEqual([]);
  });

  it.each([
    ['a record that is torn', () => truncateSync(paths('images')[0] ?? '')],
    [
      'a record whose layer is not there',
      () => rmSync(paths('layers')[0] ?? '', { recursive: true }),
    ],
    ['a layer of which nothing is known', () => truncateSync(paths('layer-info')[0] ?? '')],
  ])('%s is no image, and nothing breaks of it', async (_, tear) => {
    await buildImage(open(booted('one')), image('a:1', 'one'));
    tear();
    const after = open(booted('two'));
    expect(await after.list()).toEqual([]);
    expect((await after.usage()).inodesUsed).toBe(0);
    expect(paths('names')).toEqual([]);
    await buildImage(after, image('a:1', 'one'));
    expect(await after.resolve('a:1')).toBeDefined();
  });

  it('nobody works on what a process left that had the number and start of one of now', async () => {
    const before = open(booted('one'));
    const half = await buildImage(before, image('half:1', 'half'));
    const [layer = ''] = before.layersOf(half.id);
    before.records.removeName('docker.io/library/half:1');
    before.records.removeImage(half.id);
    before.staging.directory();
    before.staging.lease([basename(layer)]);
    expect(before.staging.leased().size).toBe(1);

    const after = open(booted('two'));
    expect([existsSync(layer), after.staging.leased().size]).toEqual([false, 0]);
    await after.staging.removeAbandoned();
    expect(readdirSync(join(folder, 'images', 'staging'))).toEqual([]);
  });

  it('agent and command line may both look at once', () => {
    const layers = join(folder, 'images', 'layers');
    mkdirSync(layers, { recursive: true });
    for (const name of ['abc', 'def']) writeFileSync(join(layers, name), '');
    // The other one puts each away between what this one has seen and what it does.
    const includes = (name: string) => {
      rmSync(join(layers, name));
      return false;
    };
    const options = { includes } as unknown as string;
    const mount = { mountPoint: '/', root: '/', type: 'overlay', source: 'overlay', options };
    open({ ...booted('two'), mounts: () => [mount] });
    expect(readdirSync(layers)).toEqual([]);
  });

  it('is looked once: what is being brought since is left alone', async () => {
    open(booted('two'));
    const layer = join(folder, 'images', 'layers', 'abc');
    writeFileSync(layer, '');
    open(booted('two'));
    expect(existsSync(layer)).toBe(true);
  });
});
