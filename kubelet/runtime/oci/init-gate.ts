// Lets the program of a created container begin. `runc create` leaves an init that waits until somebody reads from a fifo beside its
// state; `runc start` does just that. Doing it here saves a process that costs as much as all else of a start but `runc create`.
// Invariant: once it is open the fifo is gone, by which runc tells a container that runs from one that was only created.
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { type Context, isAlive } from './context.ts';
import type { ContainerRecord, ProcessIdentity } from './records.ts';

/** runc's name for the fifo. */
const FIFO = 'exec.fifo';
/** What init is called while it waits. */
const WAITING = 'runc:[2:INIT]\n';
/** What it says, in a log's form, when nobody holds the gate any more. */
const BROKE_AT_GATE = /^\S+ std(?:out|err) F write exec fifo \S+ broken pipe\r?\n$/;
/** How often is looked whether init has ended or gone through, where it says nothing. */
const LOOK_MS = 100;

/** Between the gate and its program init has little to do: how often is looked whether it is there, and how long. */
const BEGIN_LOOK_MS = 5;
const MAX_BEGIN_MS = 2_000;

/**
 * Resolves once init is the container's program, after so long at the latest: SIGTERM ends runc's own with a code that the program would
 * be blamed for.
 */
export async function programBegun(
  { system, clock }: Pick<Context, 'clock' | 'system'>,
  init: ProcessIdentity,
  graceMs: number,
): Promise<void> {
  const deadline = clock.monotonic() + Math.min(graceMs, MAX_BEGIN_MS);
  while (isWaiting(system, init) && clock.monotonic() < deadline) await clock.sleep(BEGIN_LOOK_MS);
}

/** By the name, which the kernel keeps: its arguments are memory of the program's, and may lie on a server that does not answer. */
const isWaiting = (system: Context['system'], { pid }: ProcessIdentity): boolean =>
  system.read(`/proc/${pid}/comm`) === WAITING;

/** Opens the gate; quiet when it stands open already. Throws when init has ended before it was there. */
export async function openGate(context: Context, record: ContainerRecord): Promise<void> {
  const fifo = join(context.layout.runcRoot, record.id, FIFO);
  const fd = openFifo(fifo);
  if (fd === undefined) return;
  await passage(context, fd, record.init);
  await rm(fifo, { force: true });
}

/**
 * Whether a container that has ended never ran its program: whoever opened the gate died before its init had gone through. Init says so
 * as the container's only line, and ends with 1.
 */
export function brokeAtGate({ exitCode, config }: ContainerRecord): boolean {
  return exitCode === 1 && BROKE_AT_GATE.test(firstWords(config.logPath));
}

/** As much of a log as a line of init's may take. */
const LINE_BYTES = 512;

function firstWords(path: string): string {
  const words = Buffer.alloc(LINE_BYTES);
  try {
    const fd = openSync(path, constants.O_RDONLY);
    try {
      return words.toString('utf8', 0, readSync(fd, words));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/** Not waiting for init, which may be dead; undefined when the fifo is gone. */
function openFifo(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Has init, which has ended, written what nobody has read? */
function hasWord(fd: number): boolean {
  try {
    return readSync(fd, Buffer.alloc(1)) > 0;
  } catch {
    return false;
  }
}

/** Resolves once init has written, or is found to be past the gate: whoever opened it before may have died at it. */
function passage(
  { system, clock }: Context,
  fd: number,
  init: ProcessIdentity | undefined,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    if (!init || !isAlive(system, init)) {
      // What it wrote may be there still: this process may have been held up, and timers come before what came in.
      if (hasWord(fd)) resolve();
      else reject(new Error('its first process has ended'));
    } else if (!isWaiting(system, init)) resolve();
    else timer = clock.timer(LOOK_MS, look);
  };
  const gate = new Socket({ fd, readable: true, writable: false });
  let timer = clock.timer(LOOK_MS, look);
  gate.once('data', () => resolve());
  gate.once('error', reject);
  return promise.finally(() => {
    timer.cancel();
    gate.destroy();
  });
}
