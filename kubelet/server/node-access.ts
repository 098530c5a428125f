// Who may ask the node's server: by client certificate or bearer token, then by what the API server says of their rights.
// Invariants: nobody is anonymous here; who cannot be asked about is refused.
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import {
  type Caller,
  DelegatedAccess,
  type KnownUser,
} from '../../client/access/delegated-access.ts';
import type { Client } from '../../client/rest/client.ts';
import { accessAttributes } from './access-attributes.ts';
import { nodeTarget } from './node-requests.ts';
import { RequestFailure } from './request-failure.ts';

/** What deciding needs. */
export interface NodeAccessParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  /** Common names of certificates that may do everything, without a question: the API server's own. */
  readonly trusted: readonly string[];
}

/** Decides for one node. */
export class NodeAccess {
  readonly #parts: NodeAccessParts;
  readonly #access: DelegatedAccess;

  constructor(parts: NodeAccessParts) {
    this.#parts = parts;
    this.#access = new DelegatedAccess(parts);
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

  /** Who cannot be asked about is nobody, as in upstream. */
  async #identify(caller: Caller): Promise<KnownUser | undefined> {
    try {
      return await this.#access.identify(caller);
    } catch (error) {
      this.#parts.logger.warn('a caller of this node cannot be identified', { err: error });
      throw new RequestFailure(401, 'Unauthorized');
    }
  }

  async #may(user: KnownUser, verb: string, subresource: string): Promise<boolean> {
    const { nodeName: name, logger } = this.#parts;
    const node = { group: '', version: 'v1', resource: 'nodes', name };
    try {
      return await this.#access.may(user, { resourceAttributes: { ...node, verb, subresource } });
    } catch (error) {
      logger.warn('rights of a caller of this node are not known', { err: error });
      throw new RequestFailure(
        500,
        `Authorization error (user=${user.username}, verb=${verb}, resource=nodes, subresource=${subresource})`,
      );
    }
  }
}
