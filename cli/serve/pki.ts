// Makes certificates: authorities at their first use, and leaves signed by them. Runs as a program of its own (see certificates.ts):
// `pki.ts FOLDER`, with the wanted CertificateSpecs as JSON on standard input.
// Invariant: a key is written mode 0600, and key and certificate are replaced by rename.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as x509 from '@peculiar/x509';
import { systemClock, type Clock } from '../../base/clock.ts';
import {
  type AuthorityFile,
  CLUSTER_CA,
  type CertificateSpec,
  type KeyPair,
  readPair,
} from './certificates.ts';
import { writeAtomically } from './data-directory.ts';

const DAY_MS = 86_400_000;
/** Lifetimes in days: the CA's is long, the others' as upstream's kubeadm gives them. */
const CA_DAYS = 3650;
const LEAF_DAYS = 365;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** How far back validity begins, so that a host with a slow clock agrees. */
const BACKDATE_MS = 3_600_000;

/** A certificate authority of the cluster on disk. */
export class CertificateAuthority {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #issuer: x509.X509Certificate;
  readonly #key: webcrypto.CryptoKey;

  private constructor(
    at: { folder: string; clock: Clock },
    pair: KeyPair,
    key: webcrypto.CryptoKey,
  ) {
    this.#folder = at.folder;
    this.#clock = at.clock;
    this.#issuer = new x509.X509Certificate(pair.cert);
    this.#key = key;
  }

  /** Opens the CA in `folder`, the cluster's own unless another is named, making it at first use. */
  static async open(
    folder: string,
    clock: Clock,
    file: AuthorityFile = CLUSTER_CA,
  ): Promise<CertificateAuthority> {
    x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
    const pair = readPair(folder, file) ?? (await makeCa(folder, clock, file));
    return new CertificateAuthority({ folder, clock }, pair, await importKey(pair.key));
  }

  /** Makes a leaf, replacing an older one. */
  async issue(spec: CertificateSpec): Promise<KeyPair> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: subjectOf(spec),
      issuer: this.#issuer.subject,
      notBefore: new Date(this.#clock.now() - BACKDATE_MS),
      notAfter: new Date(this.#clock.now() + LEAF_DAYS * DAY_MS),
      publicKey: keys.publicKey as webcrypto.CryptoKey,
      signingKey: this.#key,
      signingAlgorithm: ALGORITHM,
      extensions: [
        ...leafExtensions(spec),
        // Of the key that signs; strict verifiers ask for it (RFC 5280, section 4.2.1.1).
        await x509.AuthorityKeyIdentifierExtension.create(this.#issuer.publicKey),
      ],
    });
    return writePair(this.#folder, spec.file, {
      cert: `${certificate.toString('pem')}\n`,
      key: await exportKey(keys.privateKey as webcrypto.CryptoKey),
    });
  }
}

function subjectOf(spec: CertificateSpec): x509.JsonName {
  const organizations = (spec.organizations ?? []).map((organization) => ({ O: [organization] }));
  return [...organizations, { CN: [spec.commonName] }];
}

function leafExtensions(spec: CertificateSpec): x509.Extension[] {
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

async function makeCa(folder: string, clock: Clock, file: AuthorityFile): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=pinnace-${file}`,
    notBefore: new Date(clock.now() - BACKDATE_MS),
    notAfter: new Date(clock.now() + CA_DAYS * DAY_MS),
    keys: keys as webcrypto.CryptoKeyPair,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign |
          x509.KeyUsageFlags.cRLSign |
          x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as webcrypto.CryptoKey),
    ],
  });
  return writePair(folder, file, {
    cert: `${certificate.toString('pem')}\n`,
    key: await exportKey(keys.privateKey as webcrypto.CryptoKey),
  });
}

function serialNumber(): string {
  // A positive integer of 16 octets (RFC 5280, section 4.1.2.2 allows up to 20).
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('hex');
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

function writePair(folder: string, file: string, pair: KeyPair): KeyPair {
  writeAtomically(join(folder, `${file}.key`), pair.key, 0o600);
  writeAtomically(join(folder, `${file}.crt`), pair.cert, 0o644);
  return pair;
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('usage: pki.ts FOLDER < specs.json');
  for (const spec of JSON.parse(await text(process.stdin)) as CertificateSpec[]) {
    const authority = await CertificateAuthority.open(folder, systemClock, spec.authority);
    await authority.issue(spec);
  }
}
