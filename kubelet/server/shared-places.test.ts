// Tests of places that pods share: nobody takes them all, and all come back.
import { expect, it } from 'vitest';
import { SharedPlaces } from './shared-places.ts';

/** Takes as many as it gets for a pod. */
function takeAll(places: SharedPlaces, pod: string): (() => void)[] {
  const taken: (() => void)[] = [];
  for (;;)
    try {
      taken.push(places.take(pod));
    } catch {
      return taken;
    }
}

it('gives one pod half of them, and tells it why it gets no more', () => {
  const places = new SharedPlaces(8, 'logs');
  expect(takeAll(places, 'shop/web')).toHaveLength(4);
  expect(() => places.take('shop/web')).toThrow(
    'pod "shop/web" has 4 logs open already, and the last 4 that this node may have are left to other pods; end some, or try again later',
  );
  expect(() => places.take('shop/web')).toThrow(expect.objectContaining({ code: 429 }) as Error);
});

it('leaves some to a further pod, however many pods take what they get', () => {
  const places = new SharedPlaces(512, 'logs');
  for (let i = 0; i < 8; i++) takeAll(places, `greedy/${i}`);
  expect(() => places.take('shop/web')).not.toThrow();
});

it('refuses everybody when all are taken, and serves again once one came back', () => {
  const places = new SharedPlaces(3, 'logs');
  const [first] = ['a', 'b', 'c'].map((pod) => places.take(pod));
  expect(() => places.take('d')).toThrow('this node has 3 logs open already');
  first?.();
  first?.();
  places.take('d');
  expect(() => places.take('e')).toThrow('this node has 3 logs open already');
});

it('gives a pod as much as before once its own have come back', () => {
  const places = new SharedPlaces(8, 'logs');
  for (const giveBack of takeAll(places, 'shop/web')) giveBack();
  expect(takeAll(places, 'shop/web')).toHaveLength(4);
});
