// The C library's calls that Node lacks, through koffi (prebuilt, no compiler needed). Only the native-*.ts files beside it import this one.
// Invariants: the library is loaded at the first call, so programs that make none pay nothing; each failure is a NativeError with its errno.
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type * as Koffi from 'koffi';

/** A system call that failed. */
export class NativeError extends Error {
  override readonly name = 'NativeError';
  readonly errno: number;
  /** Such as `EBUSY`; `E<number>` when it has no name here. */
  readonly code: string;

  constructor(call: string, errno: number) {
    const code = nameOf(errno);
    super(`${call}: ${code}`);
    this.errno = errno;
    this.code = code;
  }
}

function nameOf(errno: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `E${errno}`;
}

type Arg = string | number | bigint | null | Uint8Array | readonly (string | null)[];
type Result = number | bigint;
interface Call {
  (...args: Arg[]): Result;
  async(...args: [...Arg[], (error: Error | null, result: Result) => void]): void;
}

const SIGNATURES = {
  mount: 'int mount(const char *, const char *, const char *, unsigned long, const char *)',
  umount2: 'int umount2(const char *, int)',
  setns: 'int setns(int, int)',
  unshare: 'int unshare(int)',
  sethostname: 'int sethostname(const char *, size_t)',
  setxattr: 'int setxattr(const char *, const char *, const char *, size_t, int)',
  mknod: 'int mknod(const char *, uint32_t, uint64_t)',
  socket: 'int socket(int, int, int)',
  connect: 'int connect(int, const uint8_t *, uint32_t)',
  send: 'int64_t send(int, const uint8_t *, size_t, int)',
  recv: 'int64_t recv(int, _Out_ uint8_t *, size_t, int)',
  shutdown: 'int shutdown(int, int)',
  ioctl: 'int ioctl(int, unsigned long)',
  socketpair: 'int socketpair(int, int, int, _Out_ uint8_t *)',
  nameToIndex: 'int if_nametoindex(const char *)',
  fcntl: 'int fcntl(int, int, int)',
  waitpid: 'int waitpid(int, _Out_ uint8_t *, int)',
  posixSpawn:
    'int posix_spawn(_Out_ uint8_t *, const char *, const uint8_t *, const uint8_t *, const char **, const char **)',
  actionsInit: 'int posix_spawn_file_actions_init(uint8_t *)',
  actionsDestroy: 'int posix_spawn_file_actions_destroy(uint8_t *)',
  actionsAddDup: 'int posix_spawn_file_actions_adddup2(uint8_t *, int, int)',
  actionsAddOpen:
    'int posix_spawn_file_actions_addopen(uint8_t *, int, const char *, int, uint32_t)',
  actionsAddDirectory: 'int posix_spawn_file_actions_addchdir_np(uint8_t *, const char *)',
  attributesInit: 'int posix_spawnattr_init(uint8_t *)',
  attributesSetFlags: 'int posix_spawnattr_setflags(uint8_t *, int16_t)',
  attributesSetDefaults: 'int posix_spawnattr_setsigdefault(uint8_t *, const uint8_t *)',
  attributesDestroy: 'int posix_spawnattr_destroy(uint8_t *)',
  // By number, as older C libraries have no names for them; the numbers are the same on all architectures.
  openTree: 'int64_t syscall(int64_t, int, const char *, uint32_t)',
  moveMount: 'int64_t syscall(int64_t, int, const char *, int, const char *, uint32_t)',
  setMountAttributes:
    'int64_t syscall(int64_t, int, const char *, uint32_t, const uint8_t *, size_t)',
} as const;

type CallName = keyof typeof SIGNATURES;
interface Library {
  readonly calls: ReadonlyMap<CallName, Call>;
  errno(): number;
}

let library: Library | undefined;

function load(): Library {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const libc = koffi.load('libc.so.6');
  const names = Object.keys(SIGNATURES) as CallName[];
  const calls = new Map(names.map((name) => [name, libc.func(SIGNATURES[name]) as Call]));
  return { calls, errno: () => koffi.errno() };
}

/** The call's result, or its errno as a negative number. */
export function attempt(name: CallName, ...args: Arg[]): number {
  library ??= load();
  const call = library.calls.get(name);
  if (!call) throw new Error(`no such native call: ${name}`);
  const result = Number(call(...args));
  return result < 0 ? -library.errno() : result;
}

/** The call's result. Throws NativeError. */
export function must(name: CallName, ...args: Arg[]): number {
  const result = attempt(name, ...args);
  if (result < 0) throw new NativeError(`${name} ${String(args[0])}`, -result);
  return result;
}

/** The call's result, below zero for a failure; it may wait, in a thread of the pool. What it reads must not change meanwhile. */
export function later(name: CallName, ...args: Arg[]): Promise<number> {
  library ??= load();
  const call = library.calls.get(name);
  return new Promise((resolve, reject) => {
    call?.async(...args, (error, result) => {
      if (error) reject(error);
      else resolve(Number(result));
    });
  });
}
