// The authority and the serving certificate of a webhook server, as values: when they are made anew, and in which order.
// Invariant: whatever is served is signed by something trusted; what will sign is trusted for OVERLAP before it does, and what did
// sign is trusted until it expires, so that no client meets a certificate that it cannot have heard of.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { BACKDATE_MS, type KeyPair, type ServerName } from '../../../base/certificates.ts';
import type { Clock } from '../../../base/clock.ts';

const DAY_MS = 86_400_000;
/** An authority's and a serving certificate's life. */
export const LIFETIMES = { authorityMs: 365 * DAY_MS, servingMs: 90 * DAY_MS };
/** The share of its life after which a certificate is made anew. */
const RENEWAL = 2 / 3;
/** How long a new authority is trusted before it signs: a day, or this share of its life where that is shorter. */
const OVERLAP = { ms: DAY_MS, share: 1 / 12 };
/** Authorities that are trusted at once; of more the oldest are dropped. */
export const MAX_TRUSTED = 8;

/** What the replicas of a webhook server share. PEM. */
export interface KeptCertificates {
  /** Signs serving certificates. */
  readonly authority: KeyPair;
  /** Will sign them, once it has been trusted for long enough. */
  readonly next: KeyPair | undefined;
  readonly serving: KeyPair;
  /** Certificates of authorities, these two among them. */
  readonly trusted: readonly string[];
}

/** What they are to be. */
export interface CertificateWish {
  readonly clock: Clock;
  readonly names: readonly ServerName[];
  /** LIFETIMES unless given. */
  readonly lifetimes?: typeof LIFETIMES | undefined;
}

/** What is to be kept from now on: the same value where nothing is due. Makes keys, so it takes some milliseconds. */
export async function renewed(
  kept: KeptCertificates | undefined,
  wish: CertificateWish,
): Promise<KeptCertificates> {
  const now = wish.clock.now();
  const sound = kept && lifeOf(kept.authority).end > now ? kept : undefined;
  const { authority, next } = sound
    ? await authoritiesAfter(sound, wish)
    : { authority: await newAuthority(wish), next: undefined };
  const isFit =
    sound && !isDue(sound.serving, now) && isServing(sound.serving, authority, wish.names);
  if (isFit && authority === sound.authority && next === sound.next) return sound;
  const old = sound?.serving;
  const serving = isFit ? sound.serving : await newServing({ authority, old, wish });
  const certificates = [authority.cert, ...(next ? [next.cert] : []), ...(sound?.trusted ?? [])];
  return { authority, next, serving, trusted: living(certificates, now) };
}

async function authoritiesAfter(
  { authority, next }: KeptCertificates,
  wish: CertificateWish,
): Promise<Pick<KeptCertificates, 'authority' | 'next'>> {
  const now = wish.clock.now();
  if (!next) return { authority, next: isDue(authority, now) ? await newAuthority(wish) : next };
  return now >= takesOver(next) ? { authority: next, next: undefined } : { authority, next };
}

/** How long until something is due, ms. */
export function dueInMs({ authority, next, serving }: KeptCertificates, clock: Clock): number {
  const moments = [next ? takesOver(next) : renewalOf(authority), renewalOf(serving)];
  return Math.max(0, Math.min(...moments) - clock.now());
}

/** Why these cannot be used; undefined where they can. */
export function faultOf(kept: KeptCertificates): string | undefined {
  try {
    for (const pair of [kept.authority, kept.serving, ...(kept.next ? [kept.next] : [])])
      if (!new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key)))
        return 'a key does not belong to its certificate';
    const serving = new X509Certificate(kept.serving.cert);
    const isTrusted = kept.trusted.some((pem) =>
      serving.verify(new X509Certificate(pem).publicKey),
    );
    return isTrusted ? undefined : 'the serving certificate is signed by nothing that is trusted';
  } catch (error) {
    return `a certificate or key cannot be read: ${(error as Error).message}`;
  }
}

interface Life {
  readonly start: number;
  readonly end: number;
}

function lifeOf({ cert }: KeyPair): Life {
  const { validFrom, validTo } = new X509Certificate(cert);
  return { start: Date.parse(validFrom) + BACKDATE_MS, end: Date.parse(validTo) };
}

function renewalOf(pair: KeyPair): number {
  const { start, end } = lifeOf(pair);
  return start + (end - start) * RENEWAL;
}

const isDue = (pair: KeyPair, now: number): boolean => now >= renewalOf(pair);

function takesOver(next: KeyPair): number {
  const { start, end } = lifeOf(next);
  return start + Math.min(OVERLAP.ms, (end - start) * OVERLAP.share);
}

function isServing(serving: KeyPair, authority: KeyPair, names: readonly ServerName[]): boolean {
  const certificate = new X509Certificate(serving.cert);
  const known = new Set(namesOf(certificate).map(({ type, value }) => `${type} ${value}`));
  return (
    names.every(({ type, value }) => known.has(`${type} ${value}`)) &&
    certificate.verify(new X509Certificate(authority.cert).publicKey)
  );
}

function namesOf({ subjectAltName = '' }: X509Certificate): ServerName[] {
  return subjectAltName.split(', ').flatMap((each): ServerName[] => {
    const [, kind, value = ''] = /^(DNS|IP Address):(.*)$/.exec(each) ?? [];
    return kind ? [{ type: kind === 'DNS' ? 'dns' : 'ip', value }] : [];
  });
}

/** Names of the certificate before stay in the new one: replicas that want different names would take turns at it else. */
async function newServing({
  authority,
  old,
  wish,
}: {
  authority: KeyPair;
  old: KeyPair | undefined;
  wish: CertificateWish;
}): Promise<KeyPair> {
  const { CertificateIssuer } = await import('../../../base/certificates.ts');
  const issuer = await CertificateIssuer.of(authority, wish.clock);
  const before = old ? namesOf(new X509Certificate(old.cert)) : [];
  const names = [...wish.names, ...before].filter(
    ({ type, value }, at, all) =>
      all.findIndex((each) => each.type === type && each.value === value) === at,
  );
  const left = lifeOf(authority).end - wish.clock.now();
  const lifetimeMs = Math.min((wish.lifetimes ?? LIFETIMES).servingMs, left);
  return issuer.issue({ commonName: 'webhooks', usage: 'server', names, lifetimeMs });
}

async function newAuthority({ clock, lifetimes = LIFETIMES }: CertificateWish): Promise<KeyPair> {
  const { makeAuthority } = await import('../../../base/certificates.ts');
  return makeAuthority('webhooks-ca', { clock, lifetimeMs: lifetimes.authorityMs });
}

/** Each once, without those that have expired. */
function living(certificates: readonly string[], now: number): string[] {
  const once = [...new Set(certificates)];
  return once.filter((cert) => lifeOf({ cert, key: '' }).end > now).slice(0, MAX_TRUSTED);
}
