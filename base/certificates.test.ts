// Tests of certificates made in memory: who signed what, for how long, and that a hand-over of authorities needs no file.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { BACKDATE_MS, CertificateIssuer, LEAF_LIFETIME_MS, makeAuthority } from './certificates.ts';
import { VirtualClock } from './virtual-clock.ts';

const clock = new VirtualClock();
const validityOf = ({ cert }: { cert: string }) => {
  const { validFrom, validTo } = new X509Certificate(cert);
  return [Date.parse(validFrom) - clock.now(), Date.parse(validTo) - clock.now()];
};

it('signs leaves that name whom they are for, each with a key of its own', async () => {
  const authority = await makeAuthority('the-authority', { clock });
  const issuer = await CertificateIssuer.of(authority, clock);
  const names = [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
  ] as const;
  const leaf = await issuer.issue({ commonName: 'leaf', usage: 'server', names });
  const other = await issuer.issue({ commonName: 'leaf', usage: 'client', organizations: ['o'] });
  const certificate = new X509Certificate(leaf.cert);
  expect(certificate.issuer).toBe('CN=the-authority');
  expect(certificate.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
  expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
  expect(certificate.checkPrivateKey(createPrivateKey(leaf.key))).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(other.key))).toBe(false);
  expect(new X509Certificate(other.cert).subject).toBe('O=o\nCN=leaf');
});

it('counts lifetimes by the clock it is given', async () => {
  const authority = await makeAuthority('short', { clock, lifetimeMs: 60_000 });
  const issuer = await CertificateIssuer.of(authority, clock);
  expect(validityOf(authority)).toEqual([-BACKDATE_MS, 60_000]);
  const spec = { commonName: 'leaf', usage: 'client' } as const;
  expect(validityOf(await issuer.issue(spec))).toEqual([-BACKDATE_MS, LEAF_LIFETIME_MS]);
  const brief = await issuer.issue({ ...spec, lifetimeMs: 5_000 });
  expect(validityOf(brief)).toEqual([-BACKDATE_MS, 5_000]);
});
