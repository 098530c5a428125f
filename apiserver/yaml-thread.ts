// Reads and writes large YAML in a thread of its own: a megabyte takes a second, in which nobody else would be served.
// Invariants: one thread at a time in a process, which ends with its task or once nobody waits for it; what waits for it is bounded,
// and so are its memory and its time.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '../base/clock.ts';
import { Slots } from '../base/slots.ts';
import { StatusError, type StatusReason } from '../api/status.ts';

/** What a thread is asked. */
export type YamlTask =
  | { readonly kind: 'read'; readonly yaml: Uint8Array }
  | { readonly kind: 'write'; readonly json: Uint8Array };

/** What a thread answers. */
export type YamlAnswer =
  | { readonly kind: 'read'; readonly value: unknown; readonly duplicates: readonly string[] }
  | { readonly kind: 'written'; readonly yaml: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: StatusReason; readonly message: string };

/** Tasks that wait for the thread; further ones are refused. */
export const MAX_WAITING_YAML = 16;
/** Memory of the thread, MiB; a task that needs more is refused. */
export const MAX_YAML_THREAD_MIB = 512;

/** Time of the thread for one task, ms; one that takes longer is refused. What is allowed takes seconds, on a busy host some more. */
export const MAX_YAML_THREAD_MS = 30_000;

/** What bounds a task. */
export interface YamlBounds {
  /** Aborted when the caller goes away: nobody needs the answer then. */
  readonly signal: AbortSignal;
  /** MAX_YAML_THREAD_MIB where it is left out. */
  readonly memoryMib?: number;
  /** What MAX_YAML_THREAD_MS is counted by; a thread takes the host's time, whatever clock the server has. */
  readonly clock?: Pick<Clock, 'timer'>;
}

const PROGRAM = new URL('./yaml-worker.ts', import.meta.url);
const slots = new Slots(1);

/**
 * The answer of a thread. Throws TooManyRequests, RequestEntityTooLarge where memory or time does not suffice, Timeout when the
 * caller goes away, and what the thread refuses.
 */
export async function inYamlThread(task: YamlTask, bounds: YamlBounds): Promise<YamlAnswer> {
  if (slots.waiting >= MAX_WAITING_YAML)
    throw new StatusError(
      'TooManyRequests',
      'too many large bodies in YAML wait to be read or written: send and ask for JSON, or try again later',
      { details: { retryAfterSeconds: 1 } },
    );
  const { signal } = bounds;
  const answer = await slots
    .run(() => answerOf(task, bounds), signal)
    .catch((cause: unknown) => {
      if (!signal.aborted) throw cause;
      throw new StatusError('Timeout', 'the caller has gone away', { cause });
    });
  if (answer.kind === 'refused') throw new StatusError(answer.reason, answer.message);
  return answer;
}

async function answerOf(task: YamlTask, bounds: YamlBounds): Promise<YamlAnswer> {
  const { memoryMib = MAX_YAML_THREAD_MIB, clock = systemClock } = bounds;
  const thread = new Worker(PROGRAM, {
    workerData: task,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxOldGenerationSizeMb: memoryMib },
  });
  // What it fails with while it is being ended concerns nobody.
  thread.on('error', () => undefined);
  const late = new AbortController();
  const timer = clock.timer(MAX_YAML_THREAD_MS, () => late.abort());
  const signal = AbortSignal.any([bounds.signal, late.signal]);
  try {
    const [answer] = (await once(thread, 'message', { signal })) as [YamlAnswer];
    return answer;
  } catch (cause) {
    if (late.signal.aborted) throw tooMuch('time');
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw cause;
    throw tooMuch('memory');
  } finally {
    timer.cancel();
    await thread.terminate();
  }
}

function tooMuch(what: string): StatusError {
  return new StatusError(
    'RequestEntityTooLarge',
    `this takes too much ${what} in YAML: send and ask for JSON, or for less at a time`,
  );
}
