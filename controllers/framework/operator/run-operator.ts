// `runOperator`: an operator as the whole of a process. The one file here that touches the process: environment, signals, exit.
// Invariant: the first SIGTERM or SIGINT stops in order, a second one at once; what fails is told in one line, with an exit code.
import { homedir, hostname } from 'node:os';
import { systemClock } from '../../../base/clock.ts';
import { createLogger, type Logger } from '../../../base/logger.ts';
import { systemRandom } from '../../../base/random.ts';
import { STOP_GRACE_MS } from '../loop.ts';
import { operate } from './operate.ts';
import { EXIT_CODES, OperatorFailure } from './operator-failure.ts';
import type { OperatorOptions } from './options.ts';

/** How long the process may take after a signal before it ends anyway: the reconciles' grace, and some for the rest. */
export const OPERATOR_STOP_MS = STOP_GRACE_MS + 10_000;
/** What still holds the process up so long after the end, such as a reconcile that never ends, is not waited for. */
const LINGER_MS = 1_000;
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;

/**
 * Runs an operator until the process is told to stop. Finds the cluster by KUBECONFIG, in the pod, or by ~/.kube/config.
 * Never rejects: what fails is written to standard error, and the process ends with one of EXIT_CODES.
 */
export async function runOperator(options: OperatorOptions): Promise<void> {
  const logger = createLogger(options.logLevel ?? 'info').child({ operator: options.name });
  const ending = new AbortController();
  const release = endOnSignals(ending, logger);
  const over = new AbortController();
  // A reconcile that waits for what never comes holds no process up; its grace and its name in the log would be lost.
  const held = systemClock.sleep(FOR_EVER_MS, over.signal).catch(() => undefined);
  const code = await exitCodeOf(options, logger, ending.signal);
  over.abort(new Error('the operator has ended'));
  await held;
  release();
  process.exitCode = code;
  systemClock.timer(LINGER_MS, () => process.exit(code));
}

async function exitCodeOf(
  options: OperatorOptions,
  logger: Logger,
  signal: AbortSignal,
): Promise<number> {
  const host = { environment: process.env, home: homedir(), hostname: hostname() };
  try {
    await operate(options, { clock: systemClock, random: systemRandom, logger, ...host }, signal);
    logger.info('the operator has stopped');
    return EXIT_CODES.stopped;
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split('\n');
    for (const line of lines) process.stderr.write(`${options.name}: ${line}\n`);
    if (error instanceof OperatorFailure) return EXIT_CODES.cannotStart;
    logger.error('the operator failed', { err: error });
    return EXIT_CODES.failed;
  }
}

/** Answers the way to let go of the process again. */
function endOnSignals(ending: AbortController, logger: Logger): () => void {
  const onSignal = (signal: NodeJS.Signals) => {
    logger.info('stopping; a second signal ends the process at once', { signal });
    for (const each of SIGNALS) process.removeListener(each, onSignal);
    ending.abort(new Error(signal));
    systemClock.timer(OPERATOR_STOP_MS, () => process.exit(EXIT_CODES.failed));
  };
  // What a reconcile forgot to await fails by itself, and nobody else can be told.
  const onRejection = (err: unknown) =>
    logger.error(
      'a promise was rejected that nobody awaited; await it in the reconcile that made it',
      { err },
    );
  for (const each of SIGNALS) process.on(each, onSignal);
  process.on('unhandledRejection', onRejection);
  return () => {
    for (const each of SIGNALS) process.removeListener(each, onSignal);
    process.removeListener('unhandledRejection', onRejection);
  };
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
