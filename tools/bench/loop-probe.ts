// Runs inside a measured server, loaded before it (`node --import`): how long its event loop was held, and what memory it uses.
// Each connection to the socket named in PINNACE_BENCH_LOOP is answered with the figure since the last one.
// Invariant: without that variable it does nothing; it keeps no process alive.
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What the probe answers; milliseconds. */
export interface LoopDelay {
  /** The longest that no timer could run. */
  readonly longest: number;
  /** Memory in use after a collection, heap and buffers, MB; where Node was started with --expose-gc. */
  readonly usedMb?: number;
}

/** The loop is looked at this often; a look on time counts as no delay. */
const EVERY_MS = 2;

function serve(path: string): void {
  const delays = monitorEventLoopDelay({ resolution: EVERY_MS });
  delays.enable();
  const server = createServer((asking) => {
    const longest = delays.count === 0 ? 0 : Math.max(0, delays.max / 1e6 - EVERY_MS);
    const answer: LoopDelay = { longest, ...used() };
    asking.end(JSON.stringify(answer));
    delays.reset();
  });
  server.listen(path);
  server.unref();
}

function used(): { usedMb?: number } {
  if (globalThis.gc === undefined) return {};
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return { usedMb: (heapUsed + external) / 1e6 };
}

const path = process.env['PINNACE_BENCH_LOOP'];
if (path !== undefined) serve(path);
