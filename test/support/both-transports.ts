// One API server, and an admin's clients of it over both transports: what one does, the other has to do too.
// Invariant: both clients are the same user of the same server; close() ends them and the server.
import type { ClientOptions, Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import type { ApiServerOptions } from '../../apiserver/options.ts';
import { ServiceAccounts, Namespaces } from '../../api/kinds.ts';
import { isAlreadyExists } from '../../api/status.ts';
import { startTestServer, type TestServer } from './server.ts';

/** Names of the transports, for `describe.each`. */
export const TRANSPORTS = ['in process', 'over HTTPS'] as const;

/** A server and the ways to it. */
export interface BothTransports {
  readonly server: TestServer;
  /** A client over the transport of that name; it ends with the server. */
  client(over: (typeof TRANSPORTS)[number], options?: ClientOptions): Client;
  close(): Promise<void>;
}

/** Starts the server, with the namespace `default` and its ServiceAccount. */
export async function onBothTransports(
  options: Partial<ApiServerOptions> = {},
): Promise<BothTransports> {
  const server = await startTestServer(options);
  const { cert, key, ca } = server.tls;
  const user = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };
  const transports = {
    'in process': createInProcessTransport(server.server.handler, user),
    'over HTTPS': createHttpTransport({
      server: server.url,
      ca,
      clientCert: cert,
      clientKey: key,
    }),
  };
  const admin = createClient(transports['in process']);
  const metadata = { name: 'default' };
  await admin
    .resource(Namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata })
    .catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
  await admin.resource(ServiceAccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { ...metadata, namespace: 'default' },
  });
  return {
    server,
    client: (over, clientOptions) => createClient(transports[over], clientOptions),
    async close() {
      for (const transport of Object.values(transports)) transport.close();
      await server.close();
    },
  };
}
