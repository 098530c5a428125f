// Asks a Service without end, each time over a fresh connection. Invariant: a request that is refused, reset, late or answered
// with anything but 200 is counted as failed and told; none is made again.
import { get } from 'node:http';
import { pause } from './pause.ts';

const TIMEOUT_MS = 10_000;
const BETWEEN_REQUESTS_MS = 10;

/** What came of the requests. */
export interface Served {
  readonly answered: number;
  /** When, where and why. */
  readonly failed: readonly string[];
}

/** Asks each of the addresses until stopped, one request at a time each. */
export function startLoad(urls: readonly string[]): { stop(): Promise<Served> } {
  const failed: string[] = [];
  let answered = 0;
  let over = false;
  const run = async (url: string) => {
    while (!over) {
      const why = await ask(url);
      if (why === undefined) answered += 1;
      else failed.push(`${new Date().toISOString()} ${url}: ${why}`);
      await pause(BETWEEN_REQUESTS_MS);
    }
  };
  const running = Promise.all(urls.map(run));
  return {
    async stop() {
      over = true;
      await running;
      return { answered, failed };
    },
  };
}

/** Undefined when all is well. */
function ask(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const call = get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.on('error', (error) => resolve(error.message));
      response.on('end', () =>
        resolve(response.statusCode === 200 ? undefined : String(response.statusCode)),
      );
      response.resume();
    });
    call.on('timeout', () => call.destroy(new Error('late')));
    call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
