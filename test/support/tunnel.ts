// A tunnel from the test's own process into a cluster's network namespace, for client libraries that are tried in
// process: a port of the test's loopback, a Unix socket, and this file as a program inside the namespace.
// Invariant: bytes pass unchanged and with back-pressure; close() ends every connection and leaves no socket.
import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestCluster } from './cluster.ts';

const NODE = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'node');

/** An open tunnel to the API server of a cluster. */
export interface Tunnel {
  /** Of the test's loopback. */
  readonly port: number;
  /** Breaks every connection that is open, as a network does; new ones go through. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

/** Opens one. */
export async function openTunnel(cluster: TestCluster): Promise<Tunnel> {
  const path = join(cluster.dataDir, 'home', 'tunnel.sock');
  const far = cluster.host.start(NODE, [import.meta.filename, path, `${cluster.facts.port}`]);
  const ended = once(far, 'close');
  if (far.stdout !== null) await Promise.race([once(far.stdout, 'data'), ended]);
  const { server, cut } = joining(() => createConnection({ path, allowHalfOpen: true }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the tunnel has no port');
  return {
    port: address.port,
    cut,
    async close() {
      server.close();
      cut();
      far.kill('SIGKILL');
      await ended;
    },
  };
}

/** A server that joins each connection to one that it opens; either takes the other along when it ends. */
function joining(open: () => Socket): { readonly server: Server; readonly cut: () => void } {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = open();
    pass(near, far);
    pass(far, near);
  });
  const pass = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return { server, cut };
}

if (import.meta.main) {
  const [path, port] = process.argv.slice(2);
  const host = '127.0.0.1';
  joining(() => createConnection({ host, port: Number(port), allowHalfOpen: true })).server.listen(
    path,
    () => process.stdout.write('open\n'),
  );
}
