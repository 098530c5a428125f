// The real System: child processes by node:child_process or launch.ts, the rest by /proc, node:fs and native-calls.ts.
// Invariant: nothing here waits without a limit, and a call that enters a namespace comes back before it returns.
import { spawn as spawnNode } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isIPv6, Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { Launcher } from './launch.ts';
import { parseMountinfo } from './mountinfo.ts';
import {
  detachCall,
  endSendingCall,
  hostnameCall,
  insideNamespace,
  insideNewNamespaces,
  mappedMountCall,
  mountCall,
  owningNamespaceCall,
  packetSocketCall,
  receiveCall,
  sendCall,
  setAttributeCall,
  tcpSocketCall,
  whiteoutCall,
} from './native-calls.ts';
import { parseProcessStat } from './process-stat.ts';
import { deleteLink, makeRoutedLink } from './routed-link.ts';
import { runnerOf, spawnChild } from './run-command.ts';
import type {
  DeviceNode,
  KeptNamespaces,
  MountFlag,
  MountSpec,
  PacketSocket,
  System,
} from './system.ts';

/** Values of MS_* in mount(2). */
const MOUNT_FLAGS: Readonly<Record<MountFlag, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  remount: 32,
  bind: 4096,
  rbind: 4096 | 16384,
  private: 1 << 18,
  rprivate: (1 << 18) | 16384,
  rslave: (1 << 19) | 16384,
  shared: 1 << 20,
  rshared: (1 << 20) | 16384,
};

/** Conmon's packets are one byte of kind and at most 8,192 of data. */
const PACKET_BYTES = 64 * 1024;

/** What the real System is to be good for. */
export interface LinuxSystemOptions {
  /**
   * This process is large and starts many children: their starts do not copy its memory tables, for 7 MB and 10 ms of CPU once. They do
   * not keep it running then.
   */
  readonly manyChildren?: boolean;
}

/** The host's own operating system. Mounts, namespaces and most cgroup files need root. */
export function createLinuxSystem({ manyChildren }: LinuxSystemOptions = {}): System {
  const spawn = manyChildren ? launching() : spawnChild;
  const stat = (pid: number) => {
    const text = readText(`/proc/${pid}/stat`);
    return text === undefined ? undefined : parseProcessStat(text);
  };
  return {
    run: runnerOf(spawn),
    spawn,
    spawnProgram: (args, options) => spawnNode(process.execPath, args, { ...options }),
    mount,
    mountMapped: mappedMountCall,
    unmount: detachCall,
    mounts: () => parseMountinfo(readText('/proc/self/mountinfo') ?? ''),
    setOverlayOpaque: (path) => setAttributeCall(path, 'trusted.overlay.opaque', 'y'),
    makeWhiteout: whiteoutCall,
    read: readText,
    write: (path, text) => writeFileSync(path, text),
    exists: existsSync,
    list,
    devices: devicesBelow,
    makeDirectory: (path) => void mkdirSync(path, { recursive: true }),
    removeDirectory,
    kill,
    processState: (pid) => stat(pid)?.state,
    processStart: (pid) => stat(pid)?.start,
    makeNetwork,
    removeNetwork,
    makeRoutedLink,
    deleteLink,
    makeUserNetwork,
    keepOwner,
    makeNamespaces,
    connectPackets,
    connectInNamespace,
  };
}

function launching(): System['spawn'] {
  const launcher = new Launcher();
  return (command, args, options) => launcher.launch(command, args, options);
}

function mount(spec: MountSpec): void {
  const flags = (spec.flags ?? []).reduce((sum, flag) => sum | MOUNT_FLAGS[flag], 0);
  const call = () => mountCall(spec, spec.type ?? '', { flags, data: spec.data ?? '' });
  if (spec.directory === undefined) call();
  else inDirectory(spec.directory, call);
}

/** Nothing else runs between the two changes: the call does not wait. */
function inDirectory(directory: string, call: () => void): void {
  const before = process.cwd();
  process.chdir(directory);
  try {
    call();
  } finally {
    process.chdir(before);
  }
}

/** Codes that mean "it is not there": a process may end between two reads. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ESRCH', 'ENODEV']);

function isAbsent(error: unknown): boolean {
  return ABSENT.has((error as NodeJS.ErrnoException).code ?? '');
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** Sizes of the fields of a device number, as glibc's gnu_dev_major and gnu_dev_minor have them. */
const majorOf = (rdev: number): number => Number((BigInt(rdev) >> 8n) & 0xfffn);
const minorOf = (rdev: number): number =>
  Number((BigInt(rdev) & 0xffn) | ((BigInt(rdev) >> 12n) & 0xfff00n));

function devicesBelow(path: string, fileSystem?: number): readonly DeviceNode[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat || (fileSystem !== undefined && stat.dev !== fileSystem)) return [];
  if (stat.isDirectory())
    return list(path).flatMap((name) => devicesBelow(join(path, name), stat.dev));
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return [];
  const { uid, gid, rdev } = stat;
  return [
    {
      path,
      type: stat.isBlockDevice() ? 'b' : 'c',
      major: majorOf(rdev),
      minor: minorOf(rdev),
      mode: stat.mode & 0o7777,
      uid,
      gid,
    },
  ];
}

function removeDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

function kill(pid: number, signal: NodeJS.Signals | number): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** The bind mount keeps a namespace alive without a process; its target file is made when missing. */
function makeNamespaces(kept: KeptNamespaces): void {
  const wanted = (['ipc', 'uts'] as const).flatMap((kind) => {
    const target = kept[kind];
    return target === undefined ? [] : [{ kind, target }];
  });
  if (wanted.length === 0) return;
  for (const { target } of wanted) writeFileSync(target, '');
  const kinds = wanted.map(({ kind }) => kind);
  insideNewNamespaces(kinds, () => {
    if (kept.uts !== undefined && kept.hostname !== undefined) hostnameCall(kept.hostname);
    for (const { kind, target } of wanted)
      mount({ source: `/proc/thread-self/ns/${kind}`, target, flags: ['bind'] });
  });
}

function makeNetwork(path: string): void {
  reserve(path);
  try {
    insideNewNamespaces(['net'], () =>
      mount({ source: '/proc/thread-self/ns/net', target: path, flags: ['bind'] }),
    );
  } catch (error) {
    removeNetwork(path);
    throw error;
  }
}

function removeNetwork(path: string): void {
  detachCall(path);
  rmSync(path, { force: true });
}

/** An empty file to mount a namespace at. Others see mounts of its directory come and go, as with `ip netns add`. */
function reserve(path: string): void {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true });
  const share = () => mount({ source: '', target: directory, flags: ['rshared'] });
  try {
    share();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    mount({ source: directory, target: directory, flags: ['rbind'] });
    share();
  }
  writeFileSync(path, '', { flag: 'wx' });
}

/** A process of its own makes them, as one with threads may not; it waits for its input to end while they are named and kept. */
async function makeUserNetwork(
  path: string,
  { hostId, size }: { readonly hostId: number; readonly size: number },
): Promise<void> {
  const args = ['--user', '--net', 'sh', '-c', 'echo made; read end'];
  const child = spawnNode('unshare', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.on('error', () => undefined);
  try {
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`unshare ended with ${String(code)}`);
    });
    ended.catch(() => undefined);
    await Promise.race([once(child.stdout, 'data'), ended]);
    for (const kind of ['uid', 'gid'])
      writeFileSync(`/proc/${child.pid}/${kind}_map`, `0 ${hostId} ${size}\n`);
    reserve(path);
    mount({ source: `/proc/${child.pid}/ns/net`, target: path, flags: ['bind'] });
  } finally {
    child.stdin.end();
  }
}

function keepOwner(networkPath: string, target: string): void {
  const owner = owningNamespaceCall(networkPath);
  try {
    writeFileSync(target, '');
    mount({ source: `/proc/self/fd/${owner}`, target, flags: ['bind'] });
  } finally {
    closeSync(owner);
  }
}

function connectPackets(path: string): PacketSocket {
  let fd: number | undefined = packetSocketCall(path);
  const buffer = Buffer.alloc(PACKET_BYTES);
  return {
    receive() {
      if (fd === undefined) return 'end';
      const size = receiveCall(fd, buffer);
      if (size === undefined) return 'none';
      return size === 0 ? 'end' : Uint8Array.prototype.slice.call(buffer, 0, size);
    },
    send: (data) => (fd === undefined ? true : sendCall(fd, data)),
    endSending: () => {
      if (fd !== undefined) endSendingCall(fd);
    },
    close: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** A socket belongs to the namespace in which socket(2) was called, wherever it is connected from. */
function connectInNamespace(
  namespacePath: string,
  address: { host: string; port: number },
  options: { timeoutMs: number },
): Promise<Socket> {
  const family = isIPv6(address.host) ? 6 : 4;
  const fd = insideNamespace('net', namespacePath, () => tcpSocketCall(family));
  // manualStart: reading an unconnected socket would fail; the option is Node's own but not in its types.
  const socket = new Socket({ fd, manualStart: true, allowHalfOpen: true } as { fd: number });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      timer.cancel();
      socket.destroy();
      reject(error);
    };
    const timer = systemClock.timer(options.timeoutMs, () =>
      fail(
        new Error(`no connection to ${address.host}:${address.port} in ${options.timeoutMs} ms`),
      ),
    );
    socket.once('error', fail);
    socket.connect(address.port, address.host, () => {
      timer.cancel();
      socket.off('error', fail);
      resolve(socket);
    });
  });
}
