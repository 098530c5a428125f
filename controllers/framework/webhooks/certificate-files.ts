// Certificates of a webhook server in files that somebody else writes: cert-manager's way, by a mounted Secret.
// Invariant: files that do not fit together (yet) are not told; what was told before is served on.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, watch } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { CertificateSource, ServedCertificate } from './certificate-source.ts';
import { runRepeatedly } from './repeated.ts';
import { messageOf } from './webhook-fault.ts';

/** Which files. PEM all. */
export interface FileCertificatesOptions {
  readonly cert: string;
  readonly key: string;
  /** The authorities to trust; where it is left out, somebody else puts them into the configurations. */
  readonly ca?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Files are read again after this long even where the system told of no change, as on some network file systems. */
const LOOK_AGAIN_MS = 3_600_000;

/** Serves what the files hold, from when they are there and as they change. */
export function certificatesInFiles(options: FileCertificatesOptions): CertificateSource {
  const { cert, key, ca, clock, logger } = options;
  return {
    async run(tell, signal) {
      let told = '';
      let wake = (): void => undefined;
      const followed = new Map<string, Promise<void>>();
      const look = async () => {
        // Before reading, so that no change falls between; again where a folder was not there before.
        for (const folder of new Set([cert, key, ...(ca ? [ca] : [])].map(dirname)))
          if (!followed.has(folder)) {
            const ended = () => void followed.delete(folder);
            followed.set(folder, follow(folder, () => wake(), signal).finally(ended));
          }
        const served = await read(options);
        const text = JSON.stringify(served);
        if (text !== told) tell(served);
        told = text;
        return LOOK_AGAIN_MS;
      };
      await runRepeatedly(look, {
        clock,
        signal,
        onFailure: (error, retryInMs) =>
          logger.error('the certificate files cannot be used; trying again', {
            why: messageOf(error),
            retryInMs,
          }),
        wakes: (again) => {
          wake = again;
        },
      });
      await Promise.all(followed.values());
    },
  };
}

/** Calls `wake` at each change in the folder; ends where it cannot be watched: reading says why, and is tried again. */
async function follow(folder: string, wake: () => void, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of watch(folder, { signal })) wake();
  } catch {
    // It is gone, or not there yet; or the signal has aborted.
  }
}

async function read({ cert, key, ca }: FileCertificatesOptions): Promise<ServedCertificate> {
  const text = (path: string) => readFile(path, 'utf8');
  const certificate = { cert: await text(cert), key: await text(key) };
  const caBundle = ca === undefined ? undefined : await text(ca);
  if (!new X509Certificate(certificate.cert).checkPrivateKey(createPrivateKey(certificate.key)))
    throw new Error(`the key in ${key} does not belong to the certificate in ${cert}`);
  return { certificate, caBundle };
}
