// Keys and X.509 certificates as values: authorities that sign themselves, and leaves that they sign. No files, no names of a cluster.
// Import it where it is needed only (`await import`): the X.509 library's memory stays with a program that has loaded it.
// Invariant: a leaf's validity never begins after now, and its key is its own.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Clock } from './clock.ts';

const DAY_MS = 86_400_000;
/** Lifetimes unless others are asked for: an authority's is long, a leaf's as upstream's kubeadm gives it. */
export const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS;
export const LEAF_LIFETIME_MS = 365 * DAY_MS;
/** How far back validity begins, so that a host with a slow clock agrees. */
export const BACKDATE_MS = 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A certificate and its key (PKCS #8), PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A DNS name or IP address that a server answers to. */
export interface ServerName {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

/** What a leaf says. */
export interface LeafSpec {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usage: 'client' | 'server';
  readonly names?: readonly ServerName[];
  /** From now on; LEAF_LIFETIME_MS unless given. */
  readonly lifetimeMs?: number;
}

/** Makes an authority that signs itself; `lifetimeMs` from now on, AUTHORITY_LIFETIME_MS unless given. */
export async function makeAuthority(
  commonName: string,
  { clock, lifetimeMs = AUTHORITY_LIFETIME_MS }: { clock: Clock; lifetimeMs?: number },
): Promise<KeyPair> {
  useWebCrypto();
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(clock, lifetimeMs),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign |
          x509.KeyUsageFlags.cRLSign |
          x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pairOf(certificate, keys);
}

/** Signs leaves with an authority's key. */
export class CertificateIssuer {
  readonly #clock: Clock;
  readonly #authority: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(clock: Clock, authority: x509.X509Certificate, key: webcrypto.CryptoKey) {
    this.#clock = clock;
    this.#authority = authority;
    this.#key = key;
  }

  /** An issuer with the authority's certificate and key; rejects where either cannot be read. */
  static async of(authority: KeyPair, clock: Clock): Promise<CertificateIssuer> {
    useWebCrypto();
    const certificate = new x509.X509Certificate(authority.cert);
    return new CertificateIssuer(clock, certificate, await importKey(authority.key));
  }

  /** Makes a leaf with a key of its own. */
  async issue(spec: LeafSpec): Promise<KeyPair> {
    const keys = await makeKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: subjectOf(spec),
      issuer: this.#authority.subject,
      ...validity(this.#clock, spec.lifetimeMs ?? LEAF_LIFETIME_MS),
      publicKey: keys.publicKey,
      signingKey: this.#key,
      signingAlgorithm: ALGORITHM,
      extensions: [
        ...leafExtensions(spec),
        // Of the key that signs; strict verifiers ask for it (RFC 5280, section 4.2.1.1).
        await x509.AuthorityKeyIdentifierExtension.create(this.#authority.publicKey),
      ],
    });
    return pairOf(certificate, keys);
  }
}

function useWebCrypto(): void {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  return keys as webcrypto.CryptoKeyPair;
}

function validity(clock: Clock, lifetimeMs: number): { notBefore: Date; notAfter: Date } {
  const now = clock.now();
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + lifetimeMs) };
}

function subjectOf(spec: LeafSpec): x509.JsonName {
  const organizations = (spec.organizations ?? []).map((organization) => ({ O: [organization] }));
  return [...organizations, { CN: [spec.commonName] }];
}

function leafExtensions(spec: LeafSpec): x509.Extension[] {
  const usage = x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment;
  const purpose =
    spec.usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(usage, true),
    new x509.ExtendedKeyUsageExtension([purpose]),
  ];
  if (spec.names?.length)
    extensions.push(new x509.SubjectAlternativeNameExtension([...spec.names]));
  return extensions;
}

function serialNumber(): string {
  // A positive integer of 16 octets (RFC 5280, section 4.1.2.2 allows up to 20).
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('hex');
}

async function pairOf(
  certificate: x509.X509Certificate,
  keys: webcrypto.CryptoKeyPair,
): Promise<KeyPair> {
  const cert = `${certificate.toString('pem')}\n`;
  return { cert, key: await exportKey(keys.privateKey) };
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, [
    'sign',
  ]) as Promise<webcrypto.CryptoKey>;
}
