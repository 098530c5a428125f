// Who may ask the node's server: by client certificate or bearer token, then by what the API server says of their rights.
// Invariants: nobody is anonymous here; what the API server said is remembered for as long as upstream remembers it, for so many
// callers and no more; a token is kept as its digest only; who cannot be asked about is refused.
import { createHash } from 'node:crypto';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { RecentMap } from '../../base/recent-map.ts';
import type { Client } from '../../client/rest/client.ts';
import { accessAttributes } from './access-attributes.ts';
import { nodeTarget } from './node-requests.ts';
import { RequestFailure } from './request-failure.ts';

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
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] };
  /** The Authorization header. */
  readonly authorization?: string | undefined;
}

/** What deciding needs. */
export interface NodeAccessParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  /** Common names of certificates that may do everything, without a question: the API server's own. */
  readonly trusted: readonly string[];
}

interface User {
  readonly username: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

interface Remembered<T> {
  readonly answer: T;
  readonly untilMs: number;
}

/** Decides for one node. */
export class NodeAccess {
  readonly #parts: NodeAccessParts;
  readonly #tokens = new RecentMap<string, Remembered<User | undefined>>(MAX_REMEMBERED_ANSWERS);
  readonly #rights = new RecentMap<string, Remembered<boolean>>(MAX_REMEMBERED_ANSWERS);

  constructor(parts: NodeAccessParts) {
    this.#parts = parts;
  }

  /** Resolves when the caller may. Throws RequestFailure 401 or 403, in upstream's words. */
  async check(caller: Caller, method: string, path: string): Promise<void> {
    const name = caller.certificate?.commonName;
    if (name !== undefined && this.#parts.trusted.includes(name)) return;
    const user = await this.#identify(caller);
    if (!user) throw new RequestFailure(401, 'Unauthorized');
    // Taken apart as whoever serves it does: rights to one path are none to another that is written like it.
    const [first = ''] = nodeTarget(path).path;
    const { verb, subresources } = accessAttributes(method, first);
    for (const subresource of subresources) if (await this.#may(user, verb, subresource)) return;
    throw new RequestFailure(
      403,
      `Forbidden (user=${user.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`,
    );
  }

  async #identify({ certificate, authorization }: Caller): Promise<User | undefined> {
    if (certificate) {
      const { commonName, organizations } = certificate;
      return { username: commonName, groups: [...organizations, 'system:authenticated'] };
    }
    const token = /^bearer +(\S+)$/i.exec(authorization?.trim() ?? '')?.[1];
    if (token === undefined || token.length > MAX_TOKEN_BYTES) return undefined;
    const key = createHash('sha256').update(token).digest('hex');
    return this.#remembered(this.#tokens, key, async () => {
      const answer = await this.#reviewToken(token);
      return { answer, ttlMs: TOKEN_TTL_MS };
    });
  }

  /** Who cannot be asked about is nobody, as in upstream; that is not remembered. */
  async #reviewToken(token: string): Promise<User | undefined> {
    try {
      const status = await this.#review('authentication.k8s.io', 'TokenReview', { token });
      const user = status['user'] as Partial<User> | undefined;
      if (status['authenticated'] !== true || !user?.username) return undefined;
      return { ...user, username: user.username, groups: user.groups ?? [] };
    } catch (error) {
      this.#parts.logger.warn('a caller of this node cannot be identified', { err: error });
      throw new RequestFailure(401, 'Unauthorized');
    }
  }

  async #may(user: User, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([
      user.username,
      user.uid,
      user.groups,
      user.extra,
      verb,
      subresource,
    ]);
    return this.#remembered(this.#rights, key, async () => {
      const answer = await this.#reviewAccess(user, verb, subresource);
      return { answer, ttlMs: answer ? ALLOWED_TTL_MS : REFUSED_TTL_MS };
    });
  }

  async #reviewAccess(user: User, verb: string, subresource: string): Promise<boolean> {
    const { username, uid, groups, extra } = user;
    const spec = {
      user: username,
      groups,
      ...(uid !== undefined && { uid }),
      ...(extra !== undefined && { extra }),
      resourceAttributes: {
        verb,
        group: '',
        version: 'v1',
        resource: 'nodes',
        subresource,
        name: this.#parts.nodeName,
      },
    };
    try {
      const status = await this.#review('authorization.k8s.io', 'SubjectAccessReview', spec);
      return status['allowed'] === true;
    } catch (error) {
      this.#parts.logger.warn('rights of a caller of this node are not known', { err: error });
      throw new RequestFailure(
        500,
        `Authorization error (user=${username}, verb=${verb}, resource=nodes, subresource=${subresource})`,
      );
    }
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
