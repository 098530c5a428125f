// Certificates on disk: authorities at their first use, and leaves signed by them. Runs as a program of its own (see certificates.ts):
// `pki.ts FOLDER`, with the wanted CertificateSpecs as JSON on standard input.
// Invariant: a key is written mode 0600, and key and certificate are replaced by rename.
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CertificateIssuer, type KeyPair, makeAuthority } from '../../base/certificates.ts';
import { systemClock, type Clock } from '../../base/clock.ts';
import { type AuthorityFile, CLUSTER_CA, type CertificateSpec, readPair } from './certificates.ts';
import { writeAtomically } from './data-directory.ts';

/** A certificate authority of the cluster on disk. */
export class CertificateAuthority {
  readonly #folder: string;
  readonly #issuer: CertificateIssuer;

  private constructor(folder: string, issuer: CertificateIssuer) {
    this.#folder = folder;
    this.#issuer = issuer;
  }

  /** Opens the CA in `folder`, the cluster's own unless another is named, making it at first use. */
  static async open(
    folder: string,
    clock: Clock,
    file: AuthorityFile = CLUSTER_CA,
  ): Promise<CertificateAuthority> {
    const pair =
      readPair(folder, file) ??
      writePair(folder, file, await makeAuthority(`pinnace-${file}`, { clock }));
    return new CertificateAuthority(folder, await CertificateIssuer.of(pair, clock));
  }

  /** Makes a leaf, replacing an older one. */
  async issue(spec: CertificateSpec): Promise<KeyPair> {
    return writePair(this.#folder, spec.file, await this.#issuer.issue(spec));
  }
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
