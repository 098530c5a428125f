// The API server's address for pods: a listener on the node's own address, which the Service `kubernetes` leads to.
// Invariant: that Service leads nowhere, or to a listener that is up. The address comes with the node's device, which the node
// agent makes: until it is there, each news of a node is reason to try again, and nothing polls.
import { Nodes } from '../../api/kinds.ts';
import type { ApiServer, ListenOptions } from '../../apiserver/api-server.ts';
import { collectionPrefix } from '../../apiserver/registry/keys.ts';
import type { Logger } from '../../base/logger.ts';

/** Listens for pods as soon as that can be; resolves then, or when the signal aborts. */
export async function servePods(
  server: ApiServer,
  at: ListenOptions,
  { logger, signal }: { logger: Logger; signal: AbortSignal },
): Promise<void> {
  const news = newsOf(server, signal);
  let told: string | undefined;
  try {
    while (!signal.aborted) {
      const failure = await failureToListen(server, at);
      if (failure === undefined) {
        await server.advertise({ address: at.host, port: at.port });
        return;
      }
      // Without a node's device there are no pods. Everybody else is served all the same, so it is told once.
      if (failure.code !== 'EADDRNOTAVAIL' && failure.message !== told)
        logger.error('pods cannot reach the API server', { err: failure });
      told = failure.message;
      await news.next();
    }
  } finally {
    news.close();
  }
}

async function failureToListen(
  server: ApiServer,
  at: ListenOptions,
): Promise<NodeJS.ErrnoException | undefined> {
  try {
    await server.listen(at);
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** Whether a node was written since one last asked; at most one piece of news is kept. */
function newsOf(server: ApiServer, signal: AbortSignal) {
  let isThere = false;
  let wake: () => void = () => undefined;
  const tell = () => {
    isThere = true;
    wake();
  };
  const unsubscribe = server.store.subscribe(collectionPrefix(Nodes), tell);
  signal.addEventListener('abort', tell, { once: true });
  return {
    async next(): Promise<void> {
      if (!isThere) await new Promise<void>((resolve) => (wake = resolve));
      isThere = false;
    },
    close(): void {
      unsubscribe();
      signal.removeEventListener('abort', tell);
    },
  };
}
