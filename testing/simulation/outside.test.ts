// Uses of the host are noticed in the code that is watched, with everything that comes of it, and nowhere else.
import { readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { setTimeout as later } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { guarded, type HostUse, within } from './outside.ts';

async function usesOf(code: () => unknown): Promise<HostUse[]> {
  const uses: HostUse[] = [];
  await guarded(async () => {
    await within({ used: (use) => uses.push(use), unheard: () => 0 }, async () => code());
  });
  return uses;
}

describe('what a program takes from its host', () => {
  it.each([
    ['Date.now', () => Date.now()],
    ['new Date', () => new Date()],
    ['performance.now', () => performance.now()],
    ['Math.random', () => Math.random()],
    ['setTimeout', () => clearTimeout(setTimeout(() => undefined, 1))],
    ['setInterval', () => clearInterval(setInterval(() => undefined, 1000))],
    ['setImmediate', () => clearImmediate(setImmediate(() => undefined))],
    ['AbortSignal.timeout', () => AbortSignal.timeout(1)],
    ['fetch', () => fetch('nothing:').catch(() => undefined)],
    ['crypto.randomUUID', () => crypto.randomUUID()],
    ['node:crypto randomUUID', () => randomUUID()],
    ['node:timers/promises setTimeout', () => later(1)],
    ['node:fs/promises readFile', () => readFile(import.meta.filename)],
  ])('is noticed for %s, with what to take instead and where', async (what, code) => {
    const [use] = await usesOf(code);
    expect(use).toMatchObject({ what });
    expect(use?.instead).not.toBe('');
    expect(use?.stack).toContain('outside.test.ts');
  });

  it('is noticed after awaiting, too', async () => {
    const uses = await usesOf(async () => {
      await Promise.resolve();
      return Math.random();
    });
    expect(uses.map(({ what }) => what)).toEqual(['Math.random']);
  });

  it('does not count for others, nor for a date of a given moment', async () => {
    expect(
      await usesOf(() => {
        const date = new Date(0);
        expect(date).toBeInstanceOf(Date);
        expect(Date.parse('1970-01-01T00:00:01Z')).toBe(1000);
        expect(Date.UTC(1970, 0)).toBe(0);
        return date.toISOString();
      }),
    ).toEqual([]);
    const before = Date.now();
    await guarded(async () => expect(Date.now()).toBeGreaterThanOrEqual(before));
  });

  it('is the host’s own again afterwards, also after a failure and side by side', async () => {
    const { now } = performance; // oxlint-disable-line typescript/unbound-method
    const before = [Date, Math.random, setTimeout, fetch, now, randomUUID];
    const nested = Promise.withResolvers<void>();
    const other = guarded(() => nested.promise);
    await expect(guarded(() => Promise.reject(new Error('the body failed')))).rejects.toThrow(
      'the body failed',
    );
    expect(Date).not.toBe(before[0]);
    nested.resolve();
    await other;
    const { now: after } = performance; // oxlint-disable-line typescript/unbound-method
    expect([Date, Math.random, setTimeout, fetch, after, randomUUID]).toEqual(before);
  });
});
