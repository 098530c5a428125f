// The few system calls on mounts, namespaces and sockets that Node lacks. Only linux.ts and routed-link.ts import this file.
// Invariant: a thread that enters another namespace comes back before any other JavaScript runs, or the process ends.
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { attempt, must, NativeError } from './native-library.ts';

/** Values of CLONE_NEW* for setns(2) and unshare(2). */
const NAMESPACE_FLAGS = { net: 0x40000000, ipc: 0x08000000, uts: 0x04000000 } as const;
/** The namespaces that this process enters. */
export type NamespaceKind = keyof typeof NAMESPACE_FLAGS;

/** mount(2). */
export function mountCall(
  ends: { source: string; target: string },
  type: string,
  options: { flags: number; data: string },
): void {
  const result = attempt('mount', ends.source, ends.target, type, options.flags, options.data);
  if (result < 0) throw new NativeError(`mount ${type} ${ends.source} on ${ends.target}`, -result);
}

const SYS_OPEN_TREE = 428;
const SYS_MOVE_MOUNT = 429;
const SYS_MOUNT_SETATTR = 442;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE_CLOEXEC = 1 | 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
/** struct mount_attr: attr_set, attr_clr, propagation and userns_fd, of 8 bytes each. */
const MOUNT_ATTR_BYTES = 32;
const MOUNT_ATTR_IDMAP = 0x0010_0000n;
const USERNS_FD_OFFSET = 24;

/**
 * Shows `source` and what is mounted below it at `target` as well, its owners counted by a user namespace (mount_setattr(2)). EINVAL where
 * a file system cannot do that.
 */
export function mappedMountCall(ends: { source: string; target: string }, namespacePath: string) {
  const what = `mapped mount of ${ends.source}`;
  const check = (result: number): number => {
    if (result < 0) throw new NativeError(what, -result);
    return result;
  };
  const flags = OPEN_TREE_CLONE_CLOEXEC | AT_RECURSIVE;
  const tree = check(attempt('openTree', SYS_OPEN_TREE, AT_FDCWD, ends.source, flags));
  try {
    const namespace = openSync(namespacePath, 'r');
    const attributes = Buffer.alloc(MOUNT_ATTR_BYTES);
    attributes.writeBigUInt64LE(MOUNT_ATTR_IDMAP, 0);
    attributes.writeBigUInt64LE(BigInt(namespace), USERNS_FD_OFFSET);
    const how = AT_EMPTY_PATH | AT_RECURSIVE;
    const call = ['setMountAttributes', SYS_MOUNT_SETATTR, tree, '', how] as const;
    const result = attempt(...call, attributes, attributes.length);
    closeSync(namespace);
    check(result);
    const move = ['moveMount', SYS_MOVE_MOUNT, tree, '', AT_FDCWD, ends.target] as const;
    check(attempt(...move, MOVE_MOUNT_F_EMPTY_PATH));
  } finally {
    closeSync(tree);
  }
}

const NS_GET_USERNS = 0xb701;

/** A descriptor of the user namespace that another namespace belongs to (ioctl_ns(2)); the caller closes it. */
export function owningNamespaceCall(path: string): number {
  const namespace = openSync(path, 'r');
  try {
    return must('ioctl', namespace, NS_GET_USERNS);
  } finally {
    closeSync(namespace);
  }
}

const MNT_DETACH = 2;

/** umount2(2) with MNT_DETACH; quiet when the target is no mount point or is not there. */
export function detachCall(target: string): void {
  const result = attempt('umount2', target, MNT_DETACH);
  const { EINVAL, ENOENT, ENOTDIR } = constants.errno;
  if (result < 0 && ![-EINVAL, -ENOENT, -ENOTDIR].includes(result))
    throw new NativeError(`umount2 ${target}`, -result);
}

/** setxattr(2) with a text value. */
export function setAttributeCall(path: string, name: string, value: string): void {
  must('setxattr', path, name, value, Buffer.byteLength(value), 0);
}

const S_IFCHR = 0o020000;

/** mknod(2) of the character device 0:0. */
export function whiteoutCall(path: string): void {
  must('mknod', path, S_IFCHR, 0);
}

/** Runs `action` with the calling thread in another namespace. `action` must not await. */
export function insideNamespace<T>(kind: NamespaceKind, path: string, action: () => T): T {
  const own = openSync(`/proc/thread-self/ns/${kind}`, 'r');
  try {
    const other = openSync(path, 'r');
    try {
      must('setns', other, NAMESPACE_FLAGS[kind]);
    } finally {
      closeSync(other);
    }
    return returning(() => must('setns', own, NAMESPACE_FLAGS[kind]), action);
  } finally {
    closeSync(own);
  }
}

/** Runs `action` with the calling thread in new namespaces of these kinds, then comes back. `action` must not await. */
export function insideNewNamespaces(kinds: readonly NamespaceKind[], action: () => void): void {
  const own = kinds.map((kind) => ({ kind, fd: openSync(`/proc/thread-self/ns/${kind}`, 'r') }));
  try {
    must(
      'unshare',
      kinds.reduce((flags, kind) => flags | NAMESPACE_FLAGS[kind], 0),
    );
    const back = () => own.forEach(({ kind, fd }) => must('setns', fd, NAMESPACE_FLAGS[kind]));
    returning(back, action);
  } finally {
    for (const { fd } of own) closeSync(fd);
  }
}

/** A process stuck in a foreign namespace would act on the wrong network or host name: it must not go on. */
function returning<T>(back: () => void, action: () => T): T {
  try {
    return action();
  } finally {
    try {
      back();
    } catch {
      process.abort();
    }
  }
}

/** sethostname(2). */
export function hostnameCall(name: string): void {
  must('sethostname', name, Buffer.byteLength(name));
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK_CLOEXEC = 0o4000 | 0o2000000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
const SHUT_WR = 1;
/** Longest path in sockaddr_un, without its closing NUL. */
const SOCKET_PATH_BYTES = 107;

/** An unconnected TCP socket of the calling thread's network namespace; the caller closes it. */
export function tcpSocketCall(family: 4 | 6): number {
  const domain = family === 4 ? AF_INET : AF_INET6;
  return must('socket', domain, SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, 0);
}

/** A connected SOCK_SEQPACKET socket; the caller closes it. */
export function packetSocketCall(path: string): number {
  const bytes = Buffer.from(`${path}\0`);
  if (bytes.length > SOCKET_PATH_BYTES + 1)
    throw new Error(`socket path is longer than ${SOCKET_PATH_BYTES} bytes: ${path}`);
  const address = Buffer.alloc(2 + bytes.length);
  address.writeUInt16LE(AF_UNIX, 0);
  bytes.copy(address, 2);
  const fd = must('socket', AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK_CLOEXEC, 0);
  const result = attempt('connect', fd, address, address.length);
  if (result === 0) return fd;
  closeSync(fd);
  throw new NativeError(`connect ${path}`, -result);
}

/** Bytes received into `buffer`; 0 at the end of the stream, undefined when there is nothing yet. */
export function receiveCall(fd: number, buffer: Uint8Array): number | undefined {
  const result = attempt('recv', fd, buffer, buffer.length, MSG_DONTWAIT_NOSIGNAL);
  if (result >= 0) return result;
  const { EAGAIN, EINTR, ECONNRESET } = constants.errno;
  if (result === -EAGAIN || result === -EINTR) return undefined;
  if (result === -ECONNRESET) return 0;
  throw new NativeError('recv', -result);
}

/** Sends one packet; false when the peer cannot take it yet. */
export function sendCall(fd: number, data: Uint8Array): boolean {
  const result = attempt('send', fd, data, data.length, MSG_DONTWAIT_NOSIGNAL);
  if (result >= 0) return true;
  if (result === -constants.errno.EAGAIN || result === -constants.errno.EINTR) return false;
  throw new NativeError('send', -result);
}

/** Ends the sending direction. */
export function endSendingCall(fd: number): void {
  attempt('shutdown', fd, SHUT_WR);
}
