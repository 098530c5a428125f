// Certificates of a webhook server in a Secret that its replicas share: made by the first that finds none, renewed by whoever
// is first, taken over by the others.
// Invariant: a replica serves only what is in the Secret, or was: no write of one overwrites what another wrote meanwhile.
import type { Secret } from '../../../api/generated/types.ts';
import { Secrets } from '../../../api/kinds.ts';
import { isAlreadyExists, isConflict, isForbidden, isNotFound } from '../../../api/status.ts';
import type { KeyPair, ServerName } from '../../../base/certificates.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { Random } from '../../../base/random.ts';
import { createInformerFactory } from '../../../client/informer/informer-factory.ts';
import type { Client } from '../../../client/rest/client.ts';
import type { CertificateSource, ServedCertificate } from './certificate-source.ts';
import {
  dueInMs,
  faultOf,
  type KeptCertificates,
  type LIFETIMES,
  renewed,
} from './kept-certificates.ts';
import { runRepeatedly } from './repeated.ts';
import { messageOf } from './webhook-fault.ts';

/** Which Secret, and what for. */
export interface SecretCertificatesOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly namespace: string;
  readonly name: string;
  /** What the server is called by. */
  readonly names: readonly ServerName[];
  /** A year for authorities, 90 days for what is served, unless given. Renewed after two thirds of it. */
  readonly lifetimes?: typeof LIFETIMES | undefined;
}

/** How often a write that meets another's is made anew at once, before it waits. */
const MAX_ATTEMPTS = 5;

/**
 * Keeps certificates in the Secret. Needs to get, create and update it, and to list and watch it by its name. One that is deleted or
 * spoilt is written again as it was.
 */
export function certificatesInSecret(options: SecretCertificatesOptions): CertificateSource {
  const { clock, logger, namespace, name } = options;
  return {
    async run(tell, signal) {
      let current: KeptCertificates | undefined;
      const informers = createInformerFactory(options);
      const following = new AbortController();
      const fieldSelector = `metadata.name=${name}`;
      const secrets = informers.informer(Secrets, { namespace, fieldSelector });
      informers.start(AbortSignal.any([signal, following.signal]));
      const settle = async () => {
        const kept = await settled({ ...options, current, signal });
        const isNew = kept.serving.cert !== current?.serving.cert;
        if (isNew || kept.trusted.join() !== current?.trusted.join()) tell(servedOf(kept));
        current = kept;
        return dueInMs(kept, clock);
      };
      try {
        await runRepeatedly(settle, {
          clock,
          signal,
          onFailure: (error, retryInMs) =>
            logger.error('the certificates of webhooks are not in place; trying again', {
              secret: `${namespace}/${name}`,
              why: messageOf(error),
              retryInMs,
            }),
          // Later it is only noise: what is served now serves on.
          isFinal: (error) => current === undefined && isForbidden(error),
          wakes: (wake) => {
            secrets.subscribe({ onAdd: wake, onUpdate: wake, onDelete: wake });
          },
        });
      } finally {
        following.abort(new Error('the certificates are not kept any longer'));
        await informers.finished();
      }
    },
  };
}

function servedOf({ serving, trusted }: KeptCertificates): ServedCertificate {
  return { certificate: serving, caBundle: trusted.join('') };
}

interface Settling extends SecretCertificatesOptions {
  /** What this replica serves now. */
  readonly current: KeptCertificates | undefined;
  readonly signal: AbortSignal;
}

/** What the Secret holds, once it holds what it should. */
async function settled(settling: Settling): Promise<KeptCertificates> {
  for (let attempt = 1; ; attempt++)
    try {
      return await oneAttempt(settling);
    } catch (error) {
      if (!(isConflict(error) || isAlreadyExists(error)) || attempt >= MAX_ATTEMPTS) throw error;
    }
}

async function oneAttempt(settling: Settling): Promise<KeptCertificates> {
  const { client, namespace, name, current, signal, logger } = settling;
  const secrets = client.resource(Secrets);
  const secret = await secrets.get({ namespace, name }, { signal }).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const found = keptIn(secret);
  const fault = found && faultOf(found);
  if (fault !== undefined)
    logger.warn('the certificates in the Secret cannot be used and are replaced', {
      secret: `${namespace}/${name}`,
      why: fault,
    });
  const usable = fault === undefined ? found : undefined;
  const next = await renewed(usable ?? current, settling);
  if (next === usable) return next;
  const data = { ...secret?.data, ...dataOf(next) };
  if (secret) await secrets.update({ ...secret, data }, { signal });
  else {
    const metadata = { namespace, name };
    const made = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data };
    await secrets.create(made, { signal });
  }
  return next;
}

/** The keys of the Secret's data; the first three are those that other programs know. */
const KEYS = {
  serving: ['tls.crt', 'tls.key'],
  trusted: 'ca.crt',
  authority: ['authority.crt', 'authority.key'],
  next: ['next-authority.crt', 'next-authority.key'],
} as const;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

function keptIn(secret: Secret | undefined): KeptCertificates | undefined {
  const text = (key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
  const pair = ([cert, key]: readonly [string, string]): KeyPair | undefined =>
    text(cert) && text(key) ? { cert: text(cert), key: text(key) } : undefined;
  const [serving, authority] = [pair(KEYS.serving), pair(KEYS.authority)];
  if (!serving || !authority) return undefined;
  const trusted = text(KEYS.trusted).match(CERTIFICATE) ?? [];
  return { serving, authority, next: pair(KEYS.next), trusted };
}

function dataOf({ serving, authority, next, trusted }: KeptCertificates): Record<string, string> {
  const entries = {
    [KEYS.serving[0]]: serving.cert,
    [KEYS.serving[1]]: serving.key,
    [KEYS.trusted]: trusted.join(''),
    [KEYS.authority[0]]: authority.cert,
    [KEYS.authority[1]]: authority.key,
    [KEYS.next[0]]: next?.cert ?? '',
    [KEYS.next[1]]: next?.key ?? '',
  };
  const encoded = Object.entries(entries).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  return Object.fromEntries(encoded) as Record<string, string>;
}
