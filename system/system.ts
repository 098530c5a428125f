// System: the only door to processes, mounts, namespaces and host files. linux.ts is the real one, recording.ts the fake.
// Invariant: every child process has a timeout or a signal, and its output a limit.
import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** Limits of a child that is waited for. */
export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Added to this process's own environment, where `env` is not given. */
  readonly moreEnv?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** 30,000 unless given; past it the child is killed and CommandError thrown. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** 16 MiB unless given; past it the child is killed. */
  readonly outputLimitBytes?: number;
}

/** What a child said. */
export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** A child that failed: exit code, or what kept it from running. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly command: string;
  /** Undefined when it did not start, or was killed. */
  readonly exitCode: number | undefined;
  readonly stderr: string;
  readonly stdout: string;

  constructor(
    command: string,
    outcome: { exitCode?: number | undefined; stderr: string; stdout?: string; why?: string },
  ) {
    super(
      `${command}: ${outcome.why ?? `exit ${outcome.exitCode}`}: ${outcome.stderr.trim().slice(0, 2000)}`,
    );
    this.command = command;
    this.exitCode = outcome.exitCode;
    this.stderr = outcome.stderr;
    this.stdout = outcome.stdout ?? '';
  }
}

/** What a child has for one of its descriptors: /dev/null, a pipe to this process, or a descriptor of this process. */
export type ChildDescriptor = 'ignore' | 'pipe' | number;

/** How a child that lives on is started. */
export interface LaunchOptions {
  /** The whole environment; this process's own unless given. */
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  readonly cwd?: string;
  /** By the child's numbers, from 0 on; three pipes unless given. */
  readonly stdio?: 'ignore' | 'pipe' | readonly ChildDescriptor[];
  /** In a session of its own. */
  readonly detached?: boolean;
}

/** How a program of our own, with a channel, is started. */
export interface SpawnOptions extends Omit<LaunchOptions, 'stdio'> {
  readonly stdio?: StdioOptions;
}

/**
 * A child that lives on. Its events are those of node:child_process: `error` (it could not be started), `exit` and, once nobody holds
 * its pipes any more, `close`, both with exit code and signal.
 */
export interface Child extends EventEmitter {
  /** Undefined where it could not be started. */
  readonly pid?: number | undefined;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** By the child's numbers; those above 2 are open in both directions. */
  readonly stdio: readonly (Readable | Writable | null | undefined)[];
  /** Null until it has ended, and where a signal ended it. */
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  /** False once it has ended. */
  kill(signal?: NodeJS.Signals | number): boolean;
  /** Its pipes do not keep this process running. */
  unref(): void;
}

/** A mount to make; `type` is empty for binds. Flags are those of mount(2), by name. */
export interface MountSpec {
  readonly source: string;
  readonly target: string;
  readonly type?: string;
  readonly flags?: readonly MountFlag[];
  /** At most a page. */
  readonly data?: string;
  /** Where names in `data` that begin with no slash are looked for. */
  readonly directory?: string;
}

/** Names of the mount(2) flags in use. */
export type MountFlag =
  | 'bind'
  | 'rbind'
  | 'ro'
  | 'nosuid'
  | 'nodev'
  | 'noexec'
  | 'remount'
  | 'private'
  | 'rprivate'
  | 'shared'
  | 'rshared'
  | 'rslave';

/** A device node of the host. */
export interface DeviceNode {
  readonly path: string;
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One line of /proc/self/mountinfo. */
export interface MountEntry {
  readonly mountPoint: string;
  readonly root: string;
  readonly type: string;
  readonly source: string;
  /** Options of the mount and of its file system, joined by a comma. */
  readonly options: string;
  /** What is mounted below it appears at its peers too, and the other way round. */
  readonly isShared?: true;
}

/**
 * A pair of devices between this network namespace and another one, routed rather than bridged: here the address is at the end of the
 * link, there the link is `eth0` with the address, and all else is behind a gateway that has this end's hardware address.
 */
export interface RoutedLink {
  /** Of this end. */
  readonly name: string;
  readonly mac: string;
  /** IPv4, of the other end. */
  readonly address: string;
  /** Address that this end speaks from. */
  readonly source: string;
  /** Address of the gateway as the other end sees it; no device has it. */
  readonly gateway: string;
}

/** Namespaces to make and keep alive by bind mounts; each path is a file that lies on a private mount. */
export interface KeptNamespaces {
  readonly ipc?: string;
  readonly uts?: string;
  /** Host name of the new UTS namespace. */
  readonly hostname?: string;
}

/** A Unix socket that keeps packet borders (SOCK_SEQPACKET). No call waits. */
export interface PacketSocket {
  /** The next packet; 'none' when there is none yet, 'end' when the peer has closed. */
  receive(): Uint8Array | 'none' | 'end';
  /** Sends one packet; false when the peer's buffer is full. Throws when the peer is gone. */
  send(data: Uint8Array): boolean;
  /** Tells the peer that nothing more will be sent. */
  endSending(): void;
  /** Safe to call more than once. */
  close(): void;
}

/** The operating system as a dependency. Files: plain node:fs is allowed for a component's own data directory; host files (/proc, /sys, cgroups) come through here. */
export interface System {
  /** Runs a child to its end; throws CommandError when it fails. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a child that lives on. */
  spawn(command: string, args: readonly string[], options?: LaunchOptions): Child;
  /** Starts a program of our own (Node's `process.execPath`) that lives on, with a channel for messages where `stdio` names one. */
  spawnProgram(args: readonly string[], options?: SpawnOptions): ChildProcess;
  mount(spec: MountSpec): void;
  /**
   * Shows a directory or file at another place with its owners counted by a user namespace (path of an nsfs file): what root of the
   * namespace owns there is root's in the source. Throws where the file system cannot do that.
   */
  mountMapped(
    ends: { readonly source: string; readonly target: string },
    namespacePath: string,
  ): void;
  /** Lazily unmounts (MNT_DETACH); quiet when nothing is mounted there. */
  unmount(target: string): void;
  mounts(): readonly MountEntry[];
  /** Makes `trusted.overlay.opaque=y` on a directory. */
  setOverlayOpaque(path: string): void;
  /** A character device 0:0: how overlayfs marks a deleted name. */
  makeWhiteout(path: string): void;
  /** Reads a host file; undefined when it is not there. */
  read(path: string): string | undefined;
  write(path: string, text: string): void;
  exists(path: string): boolean;
  /** Names in a host directory; empty when it is not there. */
  list(path: string): readonly string[];
  /** Device nodes at a path or anywhere below it, other file systems left out; empty when there are none. */
  devices(path: string): readonly DeviceNode[];
  makeDirectory(path: string): void;
  removeDirectory(path: string): void;
  /** Signals a process, or a process group (its number below zero); false when there is none. */
  kill(pid: number, signal: NodeJS.Signals | number): boolean;
  /** State letter of /proc/PID/stat (R, S, Z, …); undefined when there is none. */
  processState(pid: number): string | undefined;
  /** Start time of a process in clock ticks since boot: tells a reused pid from the old one. */
  processStart(pid: number): string | undefined;
  /** Makes a network namespace without a process in it and keeps it at `path` by a bind mount. Throws EEXIST where something is there. */
  makeNetwork(path: string): void;
  /** Unmounts a namespace's path and removes it; quiet when there is none. */
  removeNetwork(path: string): void;
  /** Connects a network namespace (path of an nsfs file) to this one; EEXIST where a link has the name already. */
  makeRoutedLink(namespacePath: string, link: RoutedLink): Promise<void>;
  /** Removes a link of this process's network namespace, and its other end; quiet when there is none. */
  deleteLink(name: string): Promise<void>;
  /**
   * Makes a network namespace that belongs to a new user namespace, whose users 0 to `size` - 1 are this one's from `hostId` on, and keeps
   * it at `path` by a bind mount.
   */
  makeUserNetwork(
    path: string,
    users: { readonly hostId: number; readonly size: number },
  ): Promise<void>;
  /** Keeps the user namespace that a network namespace (path of an nsfs file) belongs to at `target`, by a bind mount. */
  keepOwner(networkPath: string, target: string): void;
  /** Makes IPC and UTS namespaces without a process in them; the caller's own stay as they are. */
  makeNamespaces(kept: KeptNamespaces): void;
  /** Connects to a SOCK_SEQPACKET Unix socket (path of at most 107 bytes). */
  connectPackets(path: string): PacketSocket;
  /** A TCP connection made inside a network namespace (path of an nsfs file). It stays half open when the peer ends its side. */
  connectInNamespace(
    namespacePath: string,
    address: { host: string; port: number },
    options: { timeoutMs: number },
  ): Promise<Socket>;
}
