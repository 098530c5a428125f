// The queue before a service: what comes is served, lost or waits, and nothing waits for longer than it would.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { RequestQueue } from './request-queue.ts';

describe('a queue of requests', () => {
  it('makes wait what is over capacity, in order, and loses what would wait too long', () => {
    const queue = new RequestQueue(2);
    const pass = (second: number, arrive: number) => queue.pass(second, { arrive, capacity: 10 });
    expect(pass(0, 10)).toMatchObject({ served: 10, delayed: 0, lost: 0 });
    expect(pass(1, 35)).toMatchObject({ served: 10, delayed: 0, lost: 0 });
    expect(pass(2, 10)).toMatchObject({ served: 10, delayed: 10, waitedSeconds: 10 });
    // Of the 35 ten were served in each of their three seconds; five are left.
    expect(pass(3, 0)).toMatchObject({ served: 10, lost: 5, waitedSeconds: 20, longestSeconds: 2 });
    expect(pass(4, 0)).toMatchObject({ served: 10, lost: 0, waitedSeconds: 20 });
    expect(queue.length).toBe(0);
  });

  it('loses at once what cannot wait', () => {
    const queue = new RequestQueue(0);
    expect(queue.pass(0, { arrive: 5, capacity: 3 })).toMatchObject({ served: 3, lost: 2 });
    expect(queue.length).toBe(0);
  });

  it('forgets no request, and holds no more than came within its patience', () => {
    const counts = fc.nat({ max: 50 });
    const seconds = fc.array(fc.record({ arrive: counts, capacity: counts }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.nat({ max: 10 }), seconds, (patience, played) => {
        const queue = new RequestQueue(patience);
        let [came, gone] = [0, 0];
        played.forEach(({ arrive, capacity }, second) => {
          const { served, lost, longestSeconds } = queue.pass(second, { arrive, capacity });
          came += arrive;
          gone += served + lost;
          expect(served).toBeLessThanOrEqual(capacity);
          expect(longestSeconds).toBeLessThanOrEqual(patience);
          const recent = played.slice(Math.max(0, second - patience + 1), second + 1);
          const most = patience === 0 ? 0 : recent.reduce((sum, each) => sum + each.arrive, 0);
          expect(queue.length).toBeLessThanOrEqual(most);
        });
        expect(gone + queue.length).toBe(came);
      }),
    );
  });
});
