// The end of a cluster's programs: each is asked to stop, and what does not is ended as by a crash, and named.
// Invariant: once stopAll has resolved, no program does anything to the cluster any more.
import type { Clock } from '../../base/clock.ts';
import { patience } from '../patience.ts';
import type { RunningProgram } from './program.ts';

/** How long programs may take to stop when their cluster closes, by the cluster's clock. */
export const CLOSE_PATIENCE_MS = 5_000;

/** What ends with the cluster. */
export type StoppableProgram = Pick<RunningProgram, 'name' | 'stop' | 'crash'>;

/** Stops them all at once. Answers what they ended by where that was a fault, and an error for each that had to be crashed. */
export async function stopAll(
  programs: readonly StoppableProgram[],
  clock: Clock,
): Promise<readonly unknown[]> {
  const running = new Set(programs);
  const faults: unknown[] = [];
  const enough = new AbortController();
  const over = Promise.all(
    programs.map(async (program) => {
      await program.stop().catch((error: unknown) => faults.push(error));
      running.delete(program);
    }),
  ).then(() => enough.abort(new Error('all have stopped')));
  await Promise.race([over, patience(clock, CLOSE_PATIENCE_MS, enough.signal)]);
  for (const program of running) {
    faults.push(tooLate(program));
    await program.crash();
  }
  return faults;
}

const tooLate = ({ name }: StoppableProgram): Error =>
  new Error(
    `the program ${name} did not stop within ${CLOSE_PATIENCE_MS} ms of being asked: something in it waits without heeding its signal`,
  );
