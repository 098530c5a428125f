// What each supervised process does alike: tells its supervisor, ends on SIGTERM or when the supervisor is gone.
// Invariant: the body's signal aborts exactly once, and the process exits when the body has returned: with 0 where it
// ended as it was told, with 1 where something failed on the way.
import { createLogger, type Logger } from '../../base/logger.ts';
import type { ChildMessage } from './supervisor.ts';
import { EXIT_CONFIG } from './supervisor.ts';
import { UsageError } from './data-directory.ts';

/** What a body is given. */
export interface ChildContext {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Tells the supervisor that the component serves; figures are milliseconds by name. */
  ready(figures?: Readonly<Record<string, number>>): void;
  /** What is done on SIGTERM before the signal aborts, within so many milliseconds; a second SIGTERM does not wait for it. */
  farewell(run: () => Promise<void>, ms: number): void;
}

/** How long a body may take to end after the signal before the process ends anyway. */
const END_CEILING_MS = 12_000;

/** Tells the supervisor, and resolves once the message has left this process. */
function said(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (!process.send) resolve();
    else process.send(message, () => resolve());
  });
}

/** Is this how a body ends that was told to, rather than a failure on the way? */
function isEnd(error: unknown, signal: AbortSignal): boolean {
  for (let each = error; each instanceof Error; each = each.cause)
    if (each === signal.reason || each.name === 'AbortError') return true;
  return false;
}

/** Runs a component's body as the whole of this process. */
export async function runChild(
  name: string,
  body: (context: ChildContext) => Promise<void>,
): Promise<void> {
  const logger = createLogger('info').child({ component: name });
  const controller = new AbortController();
  const end = (why: string) => {
    if (controller.signal.aborted) return;
    logger.info('ending', { why });
    controller.abort(new Error(why));
    setTimeout(() => process.exit(1), END_CEILING_MS).unref();
  };
  let farewell: (() => Promise<void>) | undefined;
  process.on('SIGTERM', () => {
    const leave = farewell;
    farewell = undefined;
    if (leave) void leave().finally(() => end('SIGTERM'));
    else end('SIGTERM');
  });
  process.on('SIGINT', () => (process.send ? undefined : end('SIGINT')));
  process.on('disconnect', () => end('the supervisor is gone'));
  const tell = (message: ChildMessage) => process.send?.(message);
  try {
    await body({
      signal: controller.signal,
      logger,
      farewell: (run, ms) => {
        farewell = run;
        tell({ kind: 'farewell', ms });
      },
      ready: (figures) => tell({ kind: 'ready', ...(figures ? { figures } : {}) }),
    });
    process.exit(0);
  } catch (err) {
    if (controller.signal.aborted && isEnd(err, controller.signal)) process.exit(0);
    if (err instanceof UsageError) {
      await said({ kind: 'failed', message: err.message });
      if (!process.send) process.stderr.write(`pinnace: ${err.message}\n`);
      process.exit(EXIT_CONFIG);
    }
    logger.error(controller.signal.aborted ? 'could not end well' : 'ended by a failure', { err });
    process.exit(1);
  }
}
