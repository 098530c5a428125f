// WebSockets to a Handler in this process: the same handshake and frames as over a socket, over a pair of streams.
// Invariant: a refusal is the server's Status, and nothing is left of a connection that was refused.
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { connectedPair } from '../../streams/connected-pair.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import { searchParams } from './reply.ts';
import type { TransportRequest } from './transport.ts';
import type { ClientOptions } from 'ws';
import { connectWebSocket, type OpenWebSocket } from './web-socket.ts';

/** Asks the server, with the headers of the handshake. */
export type AskForUpgrade = (
  headers: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
) => Promise<Reply>;

/** Opens the socket. `refusal` makes an error of an answer that is no upgrade. */
export async function upgradeInProcess(
  request: TransportRequest & { readonly protocols: readonly string[] },
  ask: AskForUpgrade,
  refusal: (reply: Exclude<Reply, { kind: 'upgrade' }>) => Promise<Error>,
): Promise<OpenWebSocket> {
  const [near, far] = connectedPair();
  const refused = Promise.withResolvers<never>();
  const gone = new AbortController();
  far.on('error', () => far.destroy());
  far.on('close', () => gone.abort(new Error('the caller is gone')));
  const server = createServer();
  server.on('upgrade', (message, socket, head) => {
    const answer = async () => {
      const reply = await ask(flat(message), gone.signal);
      if (reply.kind !== 'upgrade') throw await refusal(reply);
      accept(reply, socket, head);
    };
    answer().catch((error: unknown) => {
      refused.reject(error);
      near.destroy();
    });
  });
  server.emit('connection', far);
  const query = searchParams(request.query).toString();
  const opened = connectWebSocket({
    url: `ws://in-process${request.path}?${query}`,
    protocols: request.protocols,
    signal: request.signal,
    settings: { createConnection: (() => near) as unknown as ClientOptions['createConnection'] },
  });
  // What comes of the socket is of no interest once the server has refused.
  opened.catch(() => undefined);
  refused.promise.catch(() => undefined);
  try {
    return await Promise.race([opened, refused.promise]);
  } catch (error) {
    // The socket fails in the same turn as the server refuses; the refusal says why.
    throw await Promise.race([refused.promise, Promise.resolve(error)]).catch(
      (why: unknown) => why,
    );
  }
}

function accept(reply: Reply & { kind: 'upgrade' }, socket: Duplex, head: Buffer): void {
  const lines = Object.entries(reply.connection.headers).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
  reply.connection.accept(socket, head);
}

function flat({ headers }: IncomingMessage): Record<string, string | undefined> {
  const single: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers))
    single[name] = Array.isArray(value) ? value.join(', ') : value;
  return single;
}
