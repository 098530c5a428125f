// Starts the process that goes to places whose file system may hang, and hears its answer.
// Invariant: settles only with an answer or with the process's end, so that whoever counts processes counts those that hang.
import { join } from 'node:path';
import type { System } from '../../system/system.ts';
import type { PlaceAnswer, PlaceOrder } from './place-orders.ts';
import { ConfigError } from './volume-error.ts';

const PROGRAM = join(import.meta.dirname, 'place-worker.ts');
/** Longest answer; a path has at most 4,096 bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** What the process has answered; what it holds it holds until `release`. */
export interface PlaceProcess {
  readonly answer: Exclude<PlaceAnswer, { kind: 'refused' | 'failed' }>;
  readonly pid: number;
  /** Ends it. */
  readonly release: () => void;
}

/** Throws ConfigError for what is the pod's own fault. Killed by the signal, which it may not hear at once. */
export async function askPlace(
  system: Pick<System, 'spawn'>,
  order: PlaceOrder,
  signal: AbortSignal,
): Promise<PlaceProcess> {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, JSON.stringify(order)];
  const child = system.spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const release = () => void child.kill('SIGKILL');
  child.stdin?.on('error', () => undefined);
  signal.addEventListener('abort', release, { once: true });
  try {
    const answer = await firstLine(child);
    if (answer.kind === 'refused')
      throw new ConfigError('CreateContainerConfigError', answer.message);
    if (answer.kind === 'failed') throw new ConfigError('FailedMount', answer.message);
    return { answer, pid: child.pid ?? 0, release };
  } catch (error) {
    release();
    throw error;
  } finally {
    signal.removeEventListener('abort', release);
  }
}

function firstLine(child: ReturnType<System['spawn']>): Promise<PlaceAnswer> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.endsWith('\n')) resolve(JSON.parse(text) as PlaceAnswer);
      else if (text.length > MAX_ANSWER_BYTES) child.kill('SIGKILL');
    });
    child.once('error', reject);
    child.once('close', (code, killed) =>
      reject(
        new ConfigError('FailedMount', `the process that went there ended (${killed ?? code})`),
      ),
    );
  });
}
