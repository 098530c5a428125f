// What waits in an inbox, and when it is started.
import { describe, expect, it } from 'vitest';
import { Inbox, MAX_WAITING_REQUEST_BYTES, MAX_WAITING_REQUESTS } from './inbox.ts';

const endOfTurn = () => new Promise((resolve) => setImmediate(resolve));
const nextMicrotask = () => Promise.resolve();

/** Requests without a body; the numbers of those that were started. */
function arriving(inbox: Inbox) {
  const steps: string[] = [];
  const arrive = async (name: string) => {
    await inbox.start(0);
    steps.push(`${name} reads`);
    await nextMicrotask();
    steps.push(`${name} writes`);
  };
  return { steps, arrive };
}

describe('the inbox', () => {
  it('starts the requests of a turn at its end, so that they go side by side', async () => {
    const { steps, arrive } = arriving(new Inbox());
    const all = [arrive('a'), arrive('b')];
    await nextMicrotask();
    expect(steps).toEqual([]);
    await Promise.all(all);
    expect(steps).toEqual(['a reads', 'b reads', 'a writes', 'b writes']);
    await arrive('c');
    expect(steps.slice(4)).toEqual(['c reads', 'c writes']);
  });

  it('starts all that wait when the limit is reached, and goes on', async () => {
    const inbox = new Inbox();
    const { steps, arrive } = arriving(inbox);
    const numbers = Array.from({ length: MAX_WAITING_REQUESTS }, (_, i) => String(i));
    const all = numbers.slice(1).map(arrive);
    await nextMicrotask();
    expect(steps).toEqual([]);
    all.push(arrive('last'));
    await nextMicrotask();
    expect(steps.filter((step) => step.endsWith('reads'))).toHaveLength(MAX_WAITING_REQUESTS);
    await Promise.all(all);
    const next = inbox.start(0);
    await endOfTurn();
    await next;
  });

  it('keeps no large request waiting', async () => {
    const inbox = new Inbox();
    expect(inbox.start(MAX_WAITING_REQUEST_BYTES + 1)).toBeUndefined();
    await inbox.start(MAX_WAITING_REQUEST_BYTES);
  });
});
