// Tests of pulls under way: who shares one, how many run at once, and what becomes of them when nobody waits any more.
import { expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { Slots } from '../../base/slots.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { recordedLogger } from '../../test/support/recorded-logger.ts';
import { aPod } from '../pods/fixtures/pod-scenes.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import type { ImageInfo, ImageStore, PullRequest } from '../runtime/runtime.ts';
import { PullFlights } from './pull-flights.ts';

/** A store whose pulls end when the test says so. */
class HeldStore extends FakeImageStore {
  readonly begun: string[] = [];
  readonly requests: PullRequest[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<ImageInfo>>();

  override pull(image: string, request: PullRequest): Promise<ImageInfo> {
    this.begun.push(image);
    this.requests.push(request);
    const end = Promise.withResolvers<ImageInfo>();
    request.signal.addEventListener('abort', () => end.reject(request.signal.reason));
    this.#ends.set(image, end);
    return end.promise;
  }

  end(image: string): void {
    this.#ends.get(image)?.resolve(this.add(image));
  }
}

const flightsOf = (images: ImageStore, limit?: number) =>
  new PullFlights({
    images,
    slots: new Slots(limit ?? Infinity),
    clock: systemClock,
    logger: silentLogger,
  });
const requestOf = (signal = new AbortController().signal): PullRequest => ({
  pod: aPod(),
  container: { name: 'app' },
  signal,
});

it('one pull serves all who ask for the same, and each image has its own', async () => {
  const store = new HeldStore();
  const flights = flightsOf(store);
  const all = ['a', 'a', 'b'].map((key) => flights.join(key, key, requestOf()));
  expect(store.begun).toEqual(['a', 'b']);
  store.end('a');
  store.end('b');
  const ended = await Promise.all(all.map((each) => Promise.resolve(each)));
  expect(ended.map((each) => each?.image.names)).toEqual([['a'], ['a'], ['b']]);
  expect(flights.size).toBe(0);
});

it('a pull goes on while somebody waits, is given up with the last, and can begin anew then', async () => {
  const store = new HeldStore();
  const flights = flightsOf(store);
  const [one, two] = [new AbortController(), new AbortController()];
  const first = flights.join('a', 'a', requestOf(one.signal));
  const second = flights.join('a', 'a', requestOf(two.signal));
  one.abort(new Error('one leaves'));
  await expect(first).rejects.toThrow('one leaves');
  expect(store.requests[0]?.signal.aborted).toBe(false);
  two.abort(new Error('two leaves'));
  await expect(second).rejects.toThrow('two leaves');
  expect(store.requests[0]?.signal.aborted).toBe(true);
  const third = flights.join('a', 'a', requestOf());
  expect(store.begun).toEqual(['a', 'a']);
  store.end('a');
  await third;
});

it('no more run at once than the limit; who gives up in the line leaves it', async () => {
  const store = new HeldStore();
  const flights = flightsOf(store, 1);
  const leaving = new AbortController();
  const a = flights.join('a', 'a', requestOf());
  const b = flights.join('b', 'b', requestOf(leaving.signal));
  const c = flights.join('c', 'c', requestOf());
  expect(store.begun).toEqual(['a']);
  leaving.abort(new Error('b leaves'));
  await expect(b).rejects.toThrow('b leaves');
  store.end('a');
  await a;
  expect(store.begun).toEqual(['a', 'c']);
  store.end('c');
  await c;
});

it('a failed pull gives its slot back and fails for all who wait', async () => {
  const store = new HeldStore();
  let fail = true;
  const images: ImageStore = {
    resolve: (image) => store.resolve(image),
    list: () => store.list(),
    pull: (image, request) =>
      fail ? Promise.reject(new Error('no such image')) : store.pull(image, request),
  };
  const flights = flightsOf(images, 1);
  const both = [1, 2].map(() => flights.join('a', 'a', requestOf()));
  for (const each of both) await expect(each).rejects.toThrow('no such image');
  fail = false;
  const next = flights.join('a', 'a', requestOf());
  store.end('a');
  await next;
});

it('a pull that takes long is told of in the log, and no more often than every ten seconds', async () => {
  const clock = new VirtualClock();
  const { logger, lines } = recordedLogger();
  const store = new HeldStore();
  const flights = new PullFlights({ images: store, slots: new Slots(1), clock, logger });
  const pulling = flights.join('a', 'a', requestOf());
  const progress = { image: 'a', layersDone: 0, layersTotal: 2, bytesDone: 5, bytesTotal: 10 };
  for (let second = 0; second < 25; second++) {
    await clock.advance(1000);
    store.requests[0]?.onProgress?.(progress);
  }
  expect(lines.filter((line) => line.message === 'an image is being pulled')).toHaveLength(2);
  store.end('a');
  await pulling;
});
