// The lives of authorities and serving certificates, on a virtual clock, judged by what OpenSSL makes of them.
import { X509Certificate } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ServerName } from '../../../base/certificates.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import {
  dueInMs,
  faultOf,
  type KeptCertificates,
  LIFETIMES,
  MAX_TRUSTED,
  renewed,
} from './kept-certificates.ts';

const DAY_MS = 86_400_000;
let clock: VirtualClock;
beforeEach(() => {
  clock = new VirtualClock();
});
const dns = (value: string): ServerName => ({ type: 'dns', value });
const NAMES = [dns('hooks.default.svc'), { type: 'ip', value: '127.0.0.1' }] as const;
const renew = (kept?: KeptCertificates, names: readonly ServerName[] = NAMES) =>
  renewed(kept, { clock, names });
const isTrusted = ({ serving, trusted }: KeptCertificates, by: KeptCertificates) =>
  by.trusted.some((pem) =>
    new X509Certificate(serving.cert).verify(new X509Certificate(pem).publicKey),
  ) && trusted.length > 0;

describe('the certificates of a webhook server', () => {
  it('are made where there are none, for the names that are asked for, and stay until something is due', async () => {
    const kept = await renew();
    expect(faultOf(kept)).toBeUndefined();
    const serving = new X509Certificate(kept.serving.cert);
    expect(serving.subjectAltName).toBe('DNS:hooks.default.svc, IP Address:127.0.0.1');
    expect(kept.trusted).toEqual([kept.authority.cert]);
    const due = dueInMs(kept, clock);
    expect(due / DAY_MS).toBeCloseTo(60);
    await clock.advance(due - 1000);
    expect(await renew(kept)).toBe(kept);
    await clock.advance(1000);
    const next = await renew(kept);
    expect(next.serving).not.toEqual(kept.serving);
    expect(next.authority).toBe(kept.authority);
  });

  it('are trusted at every moment of ten years by who last heard of them, one renewal ago', async () => {
    let kept = await renew();
    let before = kept;
    const authorities = new Set([kept.authority.cert]);
    const end = clock.now() + 3650 * DAY_MS;
    while (clock.now() < end) {
      await clock.advance(dueInMs(kept, clock));
      const next = await renew(kept);
      expect(next).not.toBe(kept);
      [before, kept] = [kept, next];
      // A client that has not heard of the newest yet, and one that still meets what was served before.
      expect(isTrusted(kept, before)).toBe(true);
      expect(isTrusted(before, kept)).toBe(true);
      expect(faultOf(kept)).toBeUndefined();
      const { validTo } = new X509Certificate(kept.serving.cert);
      const { validTo: last } = new X509Certificate(kept.authority.cert);
      expect(Date.parse(validTo)).toBeLessThanOrEqual(Date.parse(last));
      expect(Date.parse(validTo)).toBeGreaterThan(clock.now());
      expect(kept.trusted.length).toBeLessThanOrEqual(3);
      authorities.add(kept.authority.cert);
    }
    expect(authorities.size).toBeGreaterThan(10);
  });

  it('are taken up after a long absence: what is expired is made anew', async () => {
    const kept = await renew();
    await clock.advance(200 * DAY_MS);
    const later = await renew(kept);
    expect(later.authority).toBe(kept.authority);
    expect(faultOf(later)).toBeUndefined();
    await clock.advance(LIFETIMES.authorityMs);
    const anew = await renew(later);
    expect(anew.trusted).toEqual([anew.authority.cert]);
    expect(anew.trusted).not.toContain(kept.authority.cert);
  });

  it('gain the names of every replica, and lose none', async () => {
    const kept = await renew();
    const more = await renew(kept, [dns('other.default.svc')]);
    const names = new X509Certificate(more.serving.cert).subjectAltName;
    expect(names).toBe('DNS:other.default.svc, DNS:hooks.default.svc, IP Address:127.0.0.1');
    expect(await renew(more)).toBe(more);
  });

  it('trust so many authorities at most, the ones that sign first', async () => {
    const others = await Promise.all(Array.from({ length: 10 }, () => renew()));
    const trusted = others.map(({ authority }) => authority.cert);
    const kept = { ...(await renew()), trusted };
    const { authority, trusted: now } = await renew(kept, [dns('other.default.svc')]);
    expect(now).toEqual([authority.cert, ...trusted.slice(0, MAX_TRUSTED - 1)]);
  });

  it('are refused where they do not belong together', async () => {
    const [a, b] = [await renew(), await renew()];
    const torn = { cert: a.serving.cert, key: b.serving.key };
    expect(faultOf({ ...a, serving: torn })).toBe('a key does not belong to its certificate');
    expect(faultOf({ ...a, serving: b.serving })).toContain('signed by nothing that is trusted');
    const broken = { cert: 'x', key: 'y' };
    expect(faultOf({ ...a, authority: broken })).toContain('cannot be read');
    expect(faultOf({ ...a, next: torn })).toContain('does not belong');
  });
});
