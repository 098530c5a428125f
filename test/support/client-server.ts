// A whole API server on the memory store, reached in process by an admin: what client and framework tests talk to.
// Invariant: each call is a cluster of its own; nothing is shared and nothing listens on a socket.
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { createApiServer } from '../../apiserver/api-server.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import { Namespaces } from '../../api/kinds.ts';
import { isAlreadyExists } from '../../api/status.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import type { Transport } from '../../client/transport/transport.ts';

const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** A server and an admin's way to it. */
export interface ClientServer {
  readonly transport: Transport;
  close(): Promise<void>;
}

/** A fresh server that has the namespaces `default` and `kube-system`. */
export async function anApiServer(): Promise<ClientServer> {
  const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
  const server = await createApiServer({
    storage,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    serviceCidr: '10.96.0.0/16',
  });
  const transport = createInProcessTransport(server.handler, ADMIN);
  const namespaces = createClient(transport).resource(Namespaces);
  for (const name of ['default', 'kube-system'])
    await namespaces
      .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
  const close = async () => {
    transport.close();
    await server.close();
    await storage.close();
  };
  return { transport, close };
}
