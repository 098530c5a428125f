// What the demo says of failed requests, and when it holds a Service for one that answers.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { systemClock } from '../../base/clock.ts';
import { failureTexts, firstAnswer } from './answers.ts';

const load = (name: string, errors: Record<string, number>) => ({
  spec: { name },
  totals: { errors: new Map(Object.entries(errors)) },
});

describe('failed requests', () => {
  it('are told once for each reason, in the right number', () => {
    expect(
      failureTexts([
        load('payment', { ECONNREFUSED: 1 }),
        load('payment', { ECONNREFUSED: 1, 'status 503': 1 }),
        load('catalog', {}),
      ]),
    ).toEqual([
      'payment: 2 requests failed with ECONNREFUSED',
      'payment: 1 request failed with status 503',
    ]);
  });
});

describe('a Service', () => {
  it('answers only once somebody does, whatever the status', async () => {
    const server = createServer((_, response) => response.writeHead(404).end());
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    );
    const url = `http://127.0.0.1:${port}/`;
    const ceiling = AbortSignal.timeout(30_000);
    await firstAnswer(url, systemClock, ceiling);
    await new Promise((resolve) => server.close(resolve));
    // Refused: it waits for its clock, which stands still, until it is told to end.
    const clock = new VirtualClock();
    const ending = new AbortController();
    const waiting = firstAnswer(url, clock, ending.signal);
    await expect.poll(() => clock.pendingTimers).toBe(1);
    ending.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
