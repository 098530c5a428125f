// An API server behind HTTPS on LMDB that can be ended and started again: on the same store, or on another.
// Invariant: it is the same server to its clients (certificates, users), on another port each time; close() leaves no file.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, createApiServer } from '../../apiserver/api-server.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import { openLmdbStorage } from '../../apiserver/storage/lmdb/lmdb-storage.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { Namespaces } from '../../api/kinds.ts';
import { isAlreadyExists } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import type { Transport } from '../../client/transport/transport.ts';

const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

interface Running {
  readonly server: ApiServer;
  readonly storage: Storage;
  readonly port: number;
}

/** A server, its admin, and its restarts. */
export class RestartedServer {
  readonly #folder: string;
  readonly #served: { readonly key: string; readonly cert: string; readonly clientCa: string };
  /** An admin's certificate, and who signed the server's. */
  readonly tls: { readonly ca: string; readonly clientCert: string; readonly clientKey: string };
  /** Bearer tokens that are good now. */
  readonly tokens = new Map<string, UserInfo>();
  #running: Running | undefined;
  #store = 'first';

  private constructor(folder: string, served: RestartedServer['tls'], tls: RestartedServer['tls']) {
    this.#folder = folder;
    this.#served = { key: served.clientKey, cert: served.clientCert, clientCa: served.ca };
    this.tls = tls;
  }

  /** Starts one that has the namespaces `default` and `kube-system`. */
  static async start(): Promise<RestartedServer> {
    const folder = mkdtempSync(join(tmpdir(), 'restarted-'));
    const authority = await CertificateAuthority.open(folder, systemClock);
    const ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
    const names = [{ type: 'ip' as const, value: '127.0.0.1' }];
    const server = { file: 'server', commonName: 'server', usage: 'server', names } as const;
    const organizations = ['system:masters'];
    const admin = { file: 'admin', commonName: 'admin', organizations, usage: 'client' } as const;
    const [served, issued] = [await authority.issue(server), await authority.issue(admin)];
    const started = new RestartedServer(
      folder,
      { ca, clientCert: served.cert, clientKey: served.key },
      { ca, clientCert: issued.cert, clientKey: issued.key },
    );
    await started.#open();
    return started;
  }

  /** Where it listens; undefined while it is restarted. */
  get port(): number | undefined {
    return this.#running?.port;
  }

  /** An admin's way to the server that runs now, without a socket. */
  get transport(): Transport {
    return createInProcessTransport(this.#now.server.handler, ADMIN);
  }

  /** Ends it and starts it again: on the store of this name, which is an empty one where it is new. */
  async restart(store = this.#store): Promise<void> {
    await this.#end();
    this.#store = store;
    await this.#open();
  }

  async close(): Promise<void> {
    await this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #now(): Running {
    if (!this.#running) throw new Error('the server is being restarted');
    return this.#running;
  }

  async #open(): Promise<void> {
    const doors = { clock: systemClock, logger: silentLogger };
    const storage = await openLmdbStorage({ ...doors, directory: join(this.#folder, this.#store) });
    const server = await createApiServer({
      ...doors,
      storage,
      random: systemRandom,
      serviceCidr: '10.96.0.0/16',
      tokens: this.tokens,
    });
    const tls = this.#served;
    const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls });
    this.#running = { server, storage, port };
    const namespaces = createClient(this.transport).resource(Namespaces);
    for (const name of ['default', 'kube-system'])
      await namespaces
        .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
        .catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
  }

  async #end(): Promise<void> {
    const { server, storage } = this.#now;
    this.#running = undefined;
    await server.close();
    await storage.close();
  }
}
