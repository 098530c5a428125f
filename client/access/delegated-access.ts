// Who calls a server that is not the API server, and what they may: by client certificate or bearer token, and what the API server
// says of them in reviews. Invariants: nobody is anonymous here; what the API server said is remembered for as long as upstream
// remembers it, for so many callers and no more; a token is kept as its digest only; what cannot be asked is rejected, not remembered.
import { createHash } from 'node:crypto';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Clock } from '../../base/clock.ts';
import { RecentMap } from '../../base/recent-map.ts';
import type { Client } from '../rest/client.ts';

/** Upstream's defaults: authentication.webhook.cacheTTL, authorization.webhook.cacheAuthorizedTTL and cacheUnauthorizedTTL. */
const TOKEN_TTL_MS = 120_000;
const ALLOWED_TTL_MS = 300_000;
const REFUSED_TTL_MS = 30_000;
/** Answers remembered at most, of each kind. */
export const MAX_REMEMBERED_ANSWERS = 1_000;
/** Longest wait for the API server's answer. */
const REVIEW_TIMEOUT_MS = 10_000;
/** A longer token is no token of anybody's. */
export const MAX_TOKEN_BYTES = 16 * 1024;

/** What a connection and a request show of their caller. */
export interface Caller {
  /** Subject of a client certificate that the cluster's authority signed. */
  readonly certificate?:
    | { readonly commonName: string; readonly organizations: readonly string[] }
    | undefined;
  /** The Authorization header. */
  readonly authorization?: string | undefined;
}

/** Who it is. */
export interface KnownUser {
  readonly username: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** What somebody wants to do, as a SubjectAccessReview has it. */
export type Wish =
  | { readonly resourceAttributes: Readonly<Record<string, string>> }
  | { readonly nonResourceAttributes: { readonly path: string; readonly verb: string } };

/** What asking needs. */
export interface DelegatedAccessParts {
  readonly client: Client;
  readonly clock: Clock;
}

interface Remembered<T> {
  readonly answer: T;
  readonly untilMs: number;
}

/** Asks, and remembers. */
export class DelegatedAccess {
  readonly #parts: DelegatedAccessParts;
  readonly #tokens = new RecentMap<string, Remembered<KnownUser | undefined>>(
    MAX_REMEMBERED_ANSWERS,
  );
  readonly #rights = new RecentMap<string, Remembered<boolean>>(MAX_REMEMBERED_ANSWERS);

  constructor(parts: DelegatedAccessParts) {
    this.#parts = parts;
  }

  /** The caller; undefined for nobody that is known. Rejects where it cannot be asked. */
  async identify({ certificate, authorization }: Caller): Promise<KnownUser | undefined> {
    if (certificate) {
      const { commonName, organizations } = certificate;
      return { username: commonName, groups: [...organizations, 'system:authenticated'] };
    }
    const token = /^bearer +(\S+)$/i.exec(authorization?.trim() ?? '')?.[1];
    if (token === undefined || token.length > MAX_TOKEN_BYTES) return undefined;
    const key = createHash('sha256').update(token).digest('hex');
    return this.#remembered(this.#tokens, key, async () => {
      const status = await this.#review('authentication.k8s.io', 'TokenReview', { token });
      const user = status['user'] as Partial<KnownUser> | undefined;
      const isKnown = status['authenticated'] === true && user?.username;
      const answer = isKnown
        ? { ...user, username: user.username ?? '', groups: user.groups ?? [] }
        : undefined;
      return { answer, ttlMs: TOKEN_TTL_MS };
    });
  }

  /** May the user do that? Rejects where it cannot be asked. */
  may(user: KnownUser, wish: Wish): Promise<boolean> {
    const { username, uid, groups, extra } = user;
    const key = JSON.stringify([username, uid, groups, extra, wish]);
    return this.#remembered(this.#rights, key, async () => {
      const spec = {
        user: username,
        groups,
        ...(uid !== undefined && { uid }),
        ...(extra !== undefined && { extra }),
        ...wish,
      };
      const status = await this.#review('authorization.k8s.io', 'SubjectAccessReview', spec);
      const answer = status['allowed'] === true;
      return { answer, ttlMs: answer ? ALLOWED_TTL_MS : REFUSED_TTL_MS };
    });
  }

  /** The status of a review. Rejects when there is no answer in time. */
  async #review(group: string, kind: string, spec: object): Promise<Record<string, unknown>> {
    const { client, clock } = this.#parts;
    const late = new AbortController();
    const timer = clock.timer(REVIEW_TIMEOUT_MS, () =>
      late.abort(new Error('the API server does not answer')),
    );
    try {
      const reply = await client.transport.request({
        method: 'POST',
        path: `/apis/${group}/v1/${kind.toLowerCase()}s`,
        body: { apiVersion: `${group}/v1`, kind, metadata: {}, spec } as LooseObject,
        signal: late.signal,
      });
      return (reply.object()['status'] ?? {}) as Record<string, unknown>;
    } finally {
      timer.cancel();
    }
  }

  async #remembered<T>(
    map: RecentMap<string, Remembered<T>>,
    key: string,
    ask: () => Promise<{ answer: T; ttlMs: number }>,
  ): Promise<T> {
    const { clock } = this.#parts;
    const known = map.get(key);
    if (known && clock.monotonic() < known.untilMs) return known.answer;
    const { answer, ttlMs } = await ask();
    map.set(key, { answer, untilMs: clock.monotonic() + ttlMs });
    return answer;
  }
}
