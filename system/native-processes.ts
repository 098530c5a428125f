// Processes by posix_spawn(3), whose child borrows this process's memory until it runs its program, where fork(2) copies the tables of all
// of it: some 3 ms of CPU in a process of 120 MB, against 0.2. Only launch.ts imports this file.
// Invariant: a child gets the descriptors that it is named, and no others; what it does not get is closed here by whoever opened it.
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { attempt, must, NativeError } from './native-library.ts';

/** What a child's descriptor is: one of this process's, or /dev/null. */
export type GivenDescriptor = number | 'null';

/** What is to run. */
export interface ProcessCall {
  /** The program's file. */
  readonly path: string;
  /** From its own name on. */
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly cwd: string | undefined;
  /** In a session of its own, as its leader. */
  readonly ownSession: boolean;
  /** By the child's number, from 0 on. */
  readonly descriptors: readonly GivenDescriptor[];
}

/** More than glibc's posix_spawn_file_actions_t (80), posix_spawnattr_t (336) and sigset_t (128) have on any architecture. */
const STRUCT_BYTES = 512;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const O_RDWR = 2;
/** Signals are as in any new program: this one ignores SIGPIPE. */
const ALL_SIGNALS = Buffer.alloc(STRUCT_BYTES, 0xff);

/** Starts it and answers its pid. Throws NativeError where it cannot: ENOENT for a program or directory that is not there. */
export function processCall(wanted: ProcessCall): number {
  const { path, args, env: settings, cwd = '' } = wanted;
  // The C library would take what stands before it for all.
  if ([path, ...args, ...settings, cwd].some((text) => text.includes('\0')))
    throw new NativeError(`spawn ${path}`, constants.errno.EINVAL);
  const actions = Buffer.alloc(STRUCT_BYTES);
  const attributes = Buffer.alloc(STRUCT_BYTES);
  check(attempt('actionsInit', actions), wanted.path);
  check(attempt('attributesInit', attributes), wanted.path);
  try {
    describe(actions, wanted);
    const flags = SETSIGDEF | SETSIGMASK | (wanted.ownSession ? SETSID : 0);
    check(attempt('attributesSetFlags', attributes, flags), wanted.path);
    check(attempt('attributesSetDefaults', attributes, ALL_SIGNALS), wanted.path);
    const pid = Buffer.alloc(4);
    const [argv, env] = [
      [...wanted.args, null],
      [...wanted.env, null],
    ];
    check(attempt('posixSpawn', pid, wanted.path, actions, attributes, argv, env), wanted.path);
    return pid.readInt32LE();
  } finally {
    attempt('actionsDestroy', actions);
    attempt('attributesDestroy', attributes);
  }
}

function describe(actions: Buffer, { descriptors, cwd, path }: ProcessCall): void {
  descriptors.forEach((given, number) => {
    const result =
      given === 'null'
        ? attempt('actionsAddOpen', actions, number, '/dev/null', O_RDWR, 0)
        : attempt('actionsAddDup', actions, given, number);
    check(result, path);
  });
  if (cwd !== undefined) check(attempt('actionsAddDirectory', actions, cwd), path);
}

/** These calls answer with the error's number itself. */
function check(result: number, path: string): void {
  if (result !== 0) throw new NativeError(`spawn ${path}`, Math.abs(result));
}

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const F_DUPFD_CLOEXEC = 1030;
/** Above the numbers that children know: a descriptor is never moved onto one that is still to be moved. */
const FIRST_OWN = 16;

/** Two ends that are connected; the caller closes both. */
export function connectedCall(): { readonly ours: number; readonly theirs: number } {
  const ends = Buffer.alloc(8);
  must('socketpair', AF_UNIX, SOCK_STREAM_CLOEXEC, 0, ends);
  return { ours: ends.readInt32LE(0), theirs: raised(ends.readInt32LE(4)) };
}

/** The same descriptor under a number that is no child's; the caller closes it. */
export function duplicateCall(descriptor: number): number {
  return must('fcntl', descriptor, F_DUPFD_CLOEXEC, FIRST_OWN);
}

function raised(descriptor: number): number {
  if (descriptor >= FIRST_OWN) return descriptor;
  try {
    return duplicateCall(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const WNOHANG = 1;

/** How a child of this process ended; undefined while it has not. It is told once, and never waited for. */
export function endCall(
  pid: number,
): { readonly code?: number; readonly signal?: number } | undefined {
  const status = Buffer.alloc(4);
  const result = attempt('waitpid', pid, status, WNOHANG);
  if (result === 0) return undefined;
  // Somebody else has taken its end: nobody will know it.
  if (result < 0) return {};
  const word = status.readInt32LE();
  const signal = word & 0x7f;
  return signal === 0 ? { code: (word >> 8) & 0xff } : { signal };
}
