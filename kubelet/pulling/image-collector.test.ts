// Tests of removing images: when, which, in which order, and what is told when it is not enough.
import { expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import type { ImageUsage } from '../runtime/runtime.ts';
import { COLLECT_EVERY_MS, ImageCollector } from './image-collector.ts';

const CAPACITY = 1000;
const MINUTE = 60_000;

/** A store on a file system of 1000 bytes, of which `other` are taken by others. */
class RoomyStore extends FakeImageStore {
  other = 0;
  capacity = CAPACITY;

  async usage(): Promise<ImageUsage> {
    const usedBytes = (await this.list()).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const availableBytes = this.capacity - this.other - usedBytes;
    const inodes = { inodesUsed: 0, inodes: 0, inodesFree: 0 };
    return { usedBytes, capacityBytes: this.capacity, availableBytes, ...inodes };
  }

  pulled(name: string, sizeBytes: number): void {
    this.add(name, { sizeBytes, repoDigests: [`${name}@sha256:1`] });
  }

  async names(): Promise<string> {
    return (await this.list()).map(({ names }) => names[0]).join(' ');
  }
}

function sceneOf(configuration: Partial<Record<string, string>> = {}) {
  const images = new RoomyStore();
  const clock = new VirtualClock();
  const used = new Set<string>();
  const told: string[] = [];
  const collector = new ImageCollector({
    images,
    clock,
    logger: silentLogger,
    configuration: {
      imageGCHighThresholdPercent: 85,
      imageGCLowThresholdPercent: 80,
      imageMinimumGCAge: '2m0s',
      imageMaximumGCAge: '0s',
      ...configuration,
    },
    inUse: async () => new Set([...used].map((name) => `fake:${name}`)),
    tell: ({ type, reason, message }) => void told.push(`${type} ${reason} ${message}`),
    onRemoved: () => undefined,
  });
  return { images, clock, used, told, collector };
}

it('nothing goes below the high threshold; past it, down to the low one, unused for longest first', async () => {
  const { images, clock, used, collector } = sceneOf();
  for (const name of ['a', 'b', 'c']) images.pulled(name, 100);
  images.other = 540;
  used.add('b');
  await collector.collect();
  await clock.advance(5 * MINUTE);
  used.clear();
  used.add('c');
  await collector.collect();
  expect(await images.names()).toBe('a b c');
  used.clear();
  images.other = 560;
  await clock.advance(5 * MINUTE);
  // 86 % are taken: 60 bytes are wanted, and one image is enough.
  await collector.collect();
  expect(await images.names()).toBe('b c');
  images.other = 660;
  await collector.collect();
  expect(await images.names()).toBe('c');
});

it('what is in use, too young or loaded by hand stays, and the node says that it was not enough', async () => {
  const { images, clock, used, told, collector } = sceneOf();
  images.pulled('used', 100);
  images.pulled('old', 30);
  images.add('by-hand', { sizeBytes: 60 });
  images.add('pause', { sizeBytes: 40, repoDigests: ['pause@sha256:1'], pinned: true });
  used.add('used');
  await collector.collect();
  await clock.advance(3 * MINUTE);
  images.pulled('young', 100);
  images.other = 620;
  await collector.collect();
  expect(await images.names()).toBe('used by-hand pause young');
  const message =
    'Failed to garbage collect required amount of images. Attempted to free 150 bytes, but only found 30 bytes eligible to free.';
  expect(told).toEqual([`Warning FreeDiskSpaceFailed ${message}`]);
  images.other = 700;
  await clock.advance(MINUTE);
  await collector.collect();
  expect(told.slice(1).map((line) => line.split(' ')[1])).toEqual([
    'FreeDiskSpaceFailed',
    'ImageGCFailed',
  ]);
});

it('an image unused for longer than imageMaximumGCAge goes, whatever room there is', async () => {
  const { images, clock, used, collector } = sceneOf({ imageMaximumGCAge: '1h0m0s' });
  for (const name of ['a', 'b']) images.pulled(name, 1);
  used.add('b');
  await collector.collect();
  await clock.advance(59 * MINUTE);
  await collector.collect();
  expect(await images.names()).toBe('a b');
  used.clear();
  await clock.advance(2 * MINUTE);
  await collector.collect();
  expect(await images.names()).toBe('b');
});

it('under pressure every unused image goes at once, and what became free is told', async () => {
  const { images, used, collector } = sceneOf();
  images.pulled('a', 10);
  images.pulled('b', 20);
  images.pulled('c', 30);
  used.add('b');
  expect(await collector.reclaim()).toBe(40);
  expect(await images.names()).toBe('b');
});

it('one that cannot be removed stops no other', async () => {
  const { images, collector } = sceneOf();
  images.pulled('stuck', 10);
  images.pulled('free', 20);
  const remove = images.remove.bind(images);
  images.remove = (id) => (id === 'fake:stuck' ? Promise.reject(new Error('busy')) : remove(id));
  expect(await collector.reclaim()).toBe(20);
  expect(await images.names()).toBe('stuck');
});

it('a file system without a size is told of', async () => {
  const { images, told, collector } = sceneOf();
  images.capacity = 0;
  await collector.collect();
  expect(told).toEqual(['Warning InvalidDiskCapacity invalid capacity 0 on image filesystem']);
});

it('looks every five minutes until it is told to end', async () => {
  const { images, clock, collector } = sceneOf();
  images.pulled('a', 100);
  images.other = 800;
  const ending = new AbortController();
  const running = collector.run(ending.signal);
  await clock.advance(MINUTE);
  expect(await images.names()).toBe('a');
  await clock.advance(COLLECT_EVERY_MS);
  expect(await images.names()).toBe('');
  ending.abort(new Error('the agent ends'));
  await running;
});

it('an image that a pod is given while another one is removed stays', async () => {
  const { images, used, collector } = sceneOf();
  for (const name of ['a', 'b', 'c']) images.pulled(name, 100);
  const remove = images.remove.bind(images);
  images.remove = (id) => {
    used.add('b');
    return remove(id);
  };
  await collector.reclaim();
  expect(await images.names()).toBe('b');
});
