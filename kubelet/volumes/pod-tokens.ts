// Tokens of pods' ServiceAccounts, asked of the API server by this node (TokenRequest), each for one pod and audience.
// Invariants: a token is asked for anew when four fifths of its life are over, or after a day, and by then the old one still
// counts; nothing is kept of a pod that is released.
import type { Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/rest/client.ts';
import { requestToken } from '../../client/rest/subresources.ts';
import { ConfigError } from './volume-error.ts';

/** What tokens need. */
export interface PodTokensOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Which token of a pod. */
export interface WantedToken {
  /** The API server's own where left out. */
  readonly audience: string | undefined;
  readonly seconds: number;
}

interface Held {
  readonly token: string;
  readonly expiresAtMs: number;
  readonly refreshAtMs: number;
}

/** A token is asked for anew after this part of its life. */
const REFRESH_AT = 0.8;
/** However long it lives, it is asked for anew after this. */
const MAX_AGE_MS = 24 * 3_600_000;
/** A refresh that failed is tried again after this; the old token counts meanwhile. */
const RETRY_MS = 30_000;

/** The tokens of a node's pods. At most one for each projection of each pod. */
export class PodTokens {
  readonly #options: PodTokensOptions;
  readonly #held = new Map<string, Map<string, Held>>();

  constructor(options: PodTokensOptions) {
    this.#options = options;
  }

  /** A token that counts for a while yet. Throws ConfigError when there is none to be had. */
  async token(pod: Pod, wanted: WantedToken): Promise<string> {
    const uid = pod.metadata.uid ?? '';
    const key = `${wanted.seconds} ${wanted.audience ?? ''}`;
    const known = this.#held.get(uid)?.get(key);
    const now = this.#options.clock.now();
    if (known && now < known.refreshAtMs) return known.token;
    try {
      const fresh = await this.#ask(pod, wanted);
      this.#keep(uid, key, fresh);
      return fresh.token;
    } catch (error) {
      if (!known || known.expiresAtMs <= now)
        throw new ConfigError('FailedMount', `failed to fetch token: ${(error as Error).message}`);
      const { namespace, name } = pod.metadata;
      const fields = { pod: `${namespace}/${name}`, err: error };
      this.#options.logger.warn('a token could not be renewed; the old one counts on', fields);
      this.#keep(uid, key, { ...known, refreshAtMs: now + RETRY_MS });
      return known.token;
    }
  }

  /** Wall time when one of the pod's tokens is due; infinity without any. */
  dueAt(podUid: string): number {
    const held = this.#held.get(podUid)?.values() ?? [];
    return Math.min(Infinity, ...Array.from(held, ({ refreshAtMs }) => refreshAtMs));
  }

  /** The pod needs none any more. */
  release(podUid: string): void {
    this.#held.delete(podUid);
  }

  #keep(podUid: string, key: string, held: Held): void {
    const tokens = this.#held.get(podUid) ?? new Map<string, Held>();
    tokens.set(key, held);
    this.#held.set(podUid, tokens);
  }

  async #ask(pod: Pod, { audience, seconds }: WantedToken): Promise<Held> {
    const { namespace, name, uid } = pod.metadata;
    const account = pod.spec?.serviceAccountName ?? 'default';
    const ref = { namespace, name: account };
    const { token, expirationTimestamp } = await requestToken(this.#options.client, ref, {
      audiences: audience ? [audience] : [],
      expirationSeconds: seconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    });
    const now = this.#options.clock.now();
    const expiresAtMs = Date.parse(expirationTimestamp);
    if (!token || Number.isNaN(expiresAtMs))
      throw new Error('the API server answered without a token');
    const age = Math.min((expiresAtMs - now) * REFRESH_AT, MAX_AGE_MS);
    return { token, expiresAtMs, refreshAtMs: now + age };
  }
}
