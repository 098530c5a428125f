// Where a webhook server's certificate comes from: the contract that Secrets and files both keep.
// Invariant: what is told can be served as it is: the key belongs to the certificate.
import type { KeyPair } from '../../../base/certificates.ts';

/** What is to be served, and trusted. */
export interface ServedCertificate {
  /** PEM; the certificate may be followed by those that lead to its authority. */
  readonly certificate: KeyPair;
  /** The authorities to trust, PEM; undefined where somebody else puts them into the configurations. */
  readonly caBundle: string | undefined;
}

/** Tells the certificate and its successors. */
export interface CertificateSource {
  /** Tells the first as soon as there is one, and each later one, until the signal aborts; then resolves. May reject for what no time mends. */
  run(tell: (served: ServedCertificate) => void, signal: AbortSignal): Promise<void>;
}
