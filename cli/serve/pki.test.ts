// Tests of certificates: what strict verifiers ask of them.
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from './pki.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-pki-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The DER of an extension's object id: 2.5.29.14 names a key, 2.5.29.35 the key that signed. */
const SUBJECT_KEY = Buffer.of(0x06, 0x03, 0x55, 0x1d, 0x0e);
const AUTHORITY_KEY = Buffer.of(0x06, 0x03, 0x55, 0x1d, 0x23);

it('names in each leaf the key that signed it, as the authority names its own', async () => {
  const authority = await CertificateAuthority.open(folder, systemClock);
  const leaf = await authority.issue({ file: 'leaf', commonName: 'leaf', usage: 'client' });
  const ca = new X509Certificate(readFileSync(join(folder, 'ca.crt')));
  const certificate = new X509Certificate(leaf.cert);
  expect(certificate.verify(ca.publicKey)).toBe(true);
  const own = ca.raw.indexOf(SUBJECT_KEY);
  expect(own).toBeGreaterThan(0);
  // Octet string within octet string: 20 bytes of SHA-1 after four of framing.
  const key = ca.raw.subarray(own + 9, own + 29);
  const named = certificate.raw.subarray(certificate.raw.indexOf(AUTHORITY_KEY));
  expect(certificate.raw.indexOf(AUTHORITY_KEY)).toBeGreaterThan(0);
  expect(named.indexOf(key)).toBeGreaterThan(0);
});

it('signs what the API server shows to servers behind it by an authority of its own', async () => {
  const front = await CertificateAuthority.open(folder, systemClock, 'front-proxy-ca');
  const cluster = await CertificateAuthority.open(folder, systemClock);
  const spec = { commonName: 'front-proxy-client', usage: 'client' } as const;
  const keyOf = (file: string) =>
    new X509Certificate(readFileSync(join(folder, `${file}.crt`))).publicKey;
  const [shown, other] = [
    new X509Certificate((await front.issue({ ...spec, file: 'shown' })).cert),
    new X509Certificate((await cluster.issue({ ...spec, file: 'other' })).cert),
  ];
  expect([shown.verify(keyOf('front-proxy-ca')), shown.verify(keyOf('ca'))]).toEqual([true, false]);
  expect([other.verify(keyOf('front-proxy-ca')), other.verify(keyOf('ca'))]).toEqual([false, true]);
});
