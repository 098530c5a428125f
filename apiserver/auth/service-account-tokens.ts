// Tokens of ServiceAccounts: made for who asks (TokenRequest), and read off requests.
// Invariant: a token counts only while its account, and the object that it is tied to, are there with the same uid. Signatures
// are checked once per token and remembered, within a limit; everything else is looked up at each request, each in O(1).
import type { Secret } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { Nodes, Pods, Secrets, ServiceAccounts } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { RecentMap } from '../../base/recent-map.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { TokenReader, TokenVerdict } from './bearer-token.ts';
import { SigningKey } from './signing-key.ts';
import {
  type AccountClaims,
  accountUser,
  accountUsername,
  type LegacyClaims,
  readLegacyClaims,
  type Tie,
  type TokenClaims,
  tokenUser,
} from './token-claims.ts';

/** Who issues, unless told: the API server as pods know it. */
export const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';
/** Clocks may differ by this much, as upstream allows; an object that ends is taken for there so long after its grace. */
const LEEWAY_S = 60;
/** Tokens whose signatures are remembered; the one unused for longest goes first. About 1 KiB each. */
export const MAX_REMEMBERED = 4096;

/** Longer tokens, such as those for very many audiences, are read anew each time. */
export const MAX_REMEMBERED_CHARS = 8 * 1024;

/** What admission has pods ask for: such a token is worth a year, and its holder warned of after this (KEP-1205). */
export const POD_TOKEN_SECONDS = 3607;

/** What a server's tokens rest on. */
export interface TokenOptions {
  /** One for this run alone where left out. */
  readonly key?: SigningKey | undefined;
  /** A URL. */
  readonly issuer?: string | undefined;
  /** Whom tokens are for where nobody says: the issuer, unless given. */
  readonly audiences?: readonly string[] | undefined;
  /** No token is made for longer; no limit unless given. */
  readonly maxSeconds?: number | undefined;
}

/** A token to make. */
export interface TokenOrder {
  readonly about: Omit<AccountClaims, 'warnafter'>;
  readonly audiences: readonly string[];
  readonly seconds: number;
  /** Lives longer than asked, by so many seconds: for programs that read their token only once (KEP-1205). */
  readonly extension?: number | undefined;
}

type Remembered = { readonly claims: TokenClaims } | { readonly legacy: LegacyClaims };

/** The tokens of one cluster. */
export class ServiceAccountTokens {
  readonly issuer: string;
  /** The API server's own audiences. */
  readonly audiences: readonly string[];
  readonly maxSeconds: number | undefined;
  readonly key: SigningKey;
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #remembered = new RecentMap<string, Remembered>(MAX_REMEMBERED);

  constructor(
    doors: { store: ObjectStore; clock: Clock; random: Random },
    options: TokenOptions = {},
  ) {
    this.#store = doors.store;
    this.#clock = doors.clock;
    this.#random = doors.random;
    this.key = options.key ?? new SigningKey(SigningKey.generate());
    this.issuer = options.issuer ?? DEFAULT_ISSUER;
    this.audiences = options.audiences ?? [this.issuer];
    this.maxSeconds = options.maxSeconds;
  }

  /** Makes a token. `expiresAtMs` is what was asked for, whatever the extension. */
  issue(order: TokenOrder): { readonly token: string; readonly expiresAtMs: number } {
    const now = this.#nowSeconds();
    const { about, seconds, extension = 0 } = order;
    const asked = now + seconds;
    const claims: TokenClaims = {
      aud: order.audiences,
      exp: asked + extension,
      iat: now,
      iss: this.issuer,
      jti: this.#random.uuid(),
      'kubernetes.io': { ...about, ...(extension > 0 ? { warnafter: asked } : {}) },
      nbf: now,
      sub: accountUsername(about.namespace, about.serviceaccount.name),
    };
    return { token: this.key.sign(claims), expiresAtMs: asked * 1000 };
  }

  /** Reads tokens that this cluster signed. */
  readonly read: TokenReader = (token, audiences) => {
    const known = this.#recall(token);
    if (!known) return undefined;
    return 'legacy' in known
      ? this.#judgeLegacy(token, known.legacy, audiences)
      : this.#judge(known.claims, audiences);
  };

  #judge(claims: TokenClaims, audiences: readonly string[]): TokenVerdict {
    const shared = audiences.filter((each) => claims.aud.includes(each));
    if (shared.length === 0)
      return refused(
        `token audiences ${JSON.stringify(claims.aud)} are not of the wanted ones ${JSON.stringify(audiences)}`,
      );
    const now = this.#nowSeconds();
    if (claims.exp + LEEWAY_S < now) return refused('service account token has expired');
    if (claims.nbf - LEEWAY_S > now) return refused('service account token is not valid yet');
    const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io'];
    const ties: [KindRef<KubeObject>, Tie | undefined][] = [
      [ServiceAccounts, serviceaccount],
      [Pods, pod],
      [Secrets, secret],
      // A pod's node is told, and not asked for: the pod goes when its node does.
      [Nodes, pod ? undefined : node],
    ];
    for (const [ref, tie] of ties)
      if (tie && !this.#isThere(ref, namespace, tie))
        return refused(`service account token has been invalidated: its ${ref.kind} is gone`);
    return { kind: 'known', user: tokenUser(claims), audiences: shared };
  }

  #judgeLegacy(
    token: string,
    { namespace, account, secret }: LegacyClaims,
    audiences: readonly string[],
  ): TokenVerdict {
    const shared = this.audiences.filter((each) => audiences.includes(each));
    if (shared.length === 0) return refused('the token is for the API server alone');
    const kept = this.#store.get(objectKey(Secrets, namespace, secret))?.object() as
      | Secret
      | undefined;
    const holds = kept?.data?.['token'] === Buffer.from(token).toString('base64');
    if (
      !holds ||
      kept.metadata.deletionTimestamp ||
      !this.#isThere(ServiceAccounts, namespace, account)
    )
      return refused('service account token has been invalidated');
    return { kind: 'known', user: accountUser(namespace, account), audiences: shared };
  }

  #isThere(ref: KindRef<KubeObject>, namespace: string, { name, uid }: Tie): boolean {
    const metadata = this.#store.get(objectKey(ref, namespace, name))?.object().metadata;
    if (metadata?.uid !== uid) return false;
    const { deletionTimestamp } = metadata;
    return (
      deletionTimestamp === undefined ||
      Date.parse(deletionTimestamp) / 1000 + LEEWAY_S >= this.#nowSeconds()
    );
  }

  /** What the token says, its signature checked now or before. */
  #recall(token: string): Remembered | undefined {
    const known = this.#remembered.get(token);
    if (known) return known;
    const parsed = this.#parse(token);
    if (parsed && token.length <= MAX_REMEMBERED_CHARS) this.#remembered.set(token, parsed);
    return parsed;
  }

  #parse(token: string): Remembered | undefined {
    const said = this.key.read(token);
    if (!said) return undefined;
    const legacy = readLegacyClaims(said);
    if (legacy) return { legacy };
    return said['iss'] === this.issuer ? { claims: said as unknown as TokenClaims } : undefined;
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

const refused = (why: string): TokenVerdict => ({ kind: 'refused', why });
