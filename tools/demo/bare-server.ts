// A server of no cluster: says what this host had time for, so that a neighbour's noise is not taken for a fault of the cluster.
// Forked: a process of its own, as the catalog's are. Invariant: it ends with the demo, however that ends.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What answers beside the cluster. */
export interface BareServer {
  /** Answers any path with 200. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one on a free port of loopback; rejects where it does not come up. */
export async function startBareServer(signal: AbortSignal): Promise<BareServer> {
  signal.throwIfAborted();
  const child = fork(import.meta.filename, {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const port = await Promise.race([firstMessage(child, signal), ended.then(() => undefined)]);
  if (typeof port !== 'number') throw new Error('the bare server beside the cluster did not start');
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

async function firstMessage(child: ChildProcess, signal: AbortSignal): Promise<unknown> {
  try {
    const [message] = (await once(child, 'message', { signal })) as [unknown];
    return message;
  } catch (error) {
    if (child.connected) child.disconnect();
    throw error;
  }
}

function serveUntilDisconnected(): void {
  const server = createServer((_, response) => response.end('ok\n'));
  server.listen(0, '127.0.0.1', () => {
    // A demo that is gone meanwhile is no error: the channel's end is told below.
    process.send?.((server.address() as AddressInfo).port, () => undefined);
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group; the demo decides when this ends.
  process.on('SIGINT', () => undefined);
}

if (process.send !== undefined && process.argv[1] === import.meta.filename)
  serveUntilDisconnected();
