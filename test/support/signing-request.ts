// Requests for certificates, as programs make them: PEM in base64, the way a CertificateSigningRequest carries it.
// Invariant: each call has a key of its own, which nobody keeps.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';

/** A request in the name of a user. */
export async function aSigningRequest(commonName: string): Promise<string> {
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${commonName}`,
    keys: keys as webcrypto.CryptoKeyPair,
    signingAlgorithm,
  });
  return Buffer.from(`${request.toString('pem')}\n`).toString('base64');
}
