// Reads and writes large YAML in a thread of its own: a megabyte takes a second, in which nobody else would be served.
// Invariants: one thread at a time in a process, which ends with its task; what waits for it is bounded, and so is its memory.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
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

const PROGRAM = new URL('./yaml-worker.ts', import.meta.url);
const slots = new Slots(1);

/** The answer of a thread. Throws TooManyRequests, RequestEntityTooLarge where memory does not suffice, and what the thread refuses. */
export async function inYamlThread(
  task: YamlTask,
  memoryMib = MAX_YAML_THREAD_MIB,
): Promise<YamlAnswer> {
  if (slots.waiting >= MAX_WAITING_YAML)
    throw new StatusError(
      'TooManyRequests',
      'too many large bodies in YAML wait to be read or written: send and ask for JSON, or try again later',
      { details: { retryAfterSeconds: 1 } },
    );
  const answer = await slots.run(() => answerOf(task, memoryMib));
  if (answer.kind === 'refused') throw new StatusError(answer.reason, answer.message);
  return answer;
}

async function answerOf(task: YamlTask, memoryMib: number): Promise<YamlAnswer> {
  const thread = new Worker(PROGRAM, {
    workerData: task,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxOldGenerationSizeMb: memoryMib },
  });
  try {
    const [answer] = (await once(thread, 'message')) as [YamlAnswer];
    return answer;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw cause;
    const why = 'this takes too much memory in YAML: send and ask for JSON, or for less at a time';
    throw new StatusError('RequestEntityTooLarge', why);
  } finally {
    await thread.terminate();
  }
}
