// A System for unit tests: files in memory, commands recorded and answered from a script, mounts and signals kept in lists.
// Invariant: nothing reaches the host; a command without an answer fails, so that no test passes by accident.
import type { Socket } from 'node:net';
import {
  type Child,
  CommandError,
  type DeviceNode,
  type KeptNamespaces,
  type MountEntry,
  type MountSpec,
  type RunOptions,
  type RoutedLink,
  type RunResult,
  type LaunchOptions,
  type System,
} from './system.ts';

/** A command that was run. */
export interface RecordedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly input: string | undefined;
}

/** What a scripted command says; an exit code other than 0 makes `run` throw CommandError. */
export interface Answer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

/** A fake process, as /proc would tell it. */
export interface FakeProcess {
  readonly state: string;
  readonly start: string;
}

/** The fake, with what a test arranges and looks at. */
export interface RecordingSystem extends System {
  readonly files: Map<string, string>;
  readonly directories: Set<string>;
  readonly commands: RecordedCommand[];
  readonly processes: Map<number, FakeProcess>;
  readonly signals: { pid: number; signal: NodeJS.Signals | number }[];
  /** Mounts that are there; `mount` and `unmount` change it. */
  readonly mountTable: MountEntry[];
  readonly namespaces: KeptNamespaces[];
  readonly userNetworks: { path: string; users: { hostId: number; size: number } }[];
  /** Links that are there, by name; those that were removed, in order. */
  readonly links: Map<string, RoutedLink & { readonly namespacePath: string }>;
  readonly deletedLinks: string[];
  /** Device nodes that are there. */
  readonly deviceNodes: DeviceNode[];
  /** Answers commands whose line (`command arg arg`) starts with `prefix`; the latest fitting answer counts. */
  answer(prefix: string, answer: Answer | ((command: RecordedCommand) => Answer)): void;
  /** Answers `spawn` likewise. */
  answerSpawn(prefix: string, make: (command: RecordedCommand) => Child): void;
  /** Answers `connectInNamespace`. */
  answerConnect(make: (namespacePath: string) => Socket): void;
}

/** A fake host; `files` are there from the start. */
export function createRecordingSystem(
  files: Readonly<Record<string, string>> = {},
): RecordingSystem {
  const script: { prefix: string; answer: (command: RecordedCommand) => Answer }[] = [];
  const spawns: { prefix: string; make: (command: RecordedCommand) => Child }[] = [];
  const commands: RecordedCommand[] = [];
  let connect: ((namespacePath: string) => Socket) | undefined;
  const record = (command: string, args: readonly string[], input?: string | Uint8Array) => {
    const text = input === undefined ? undefined : Buffer.from(input).toString();
    const recorded: RecordedCommand = { command, args, input: text };
    commands.push(recorded);
    return { recorded, line: [command, ...args].join(' ') };
  };
  return {
    ...fakeFiles(files),
    ...fakeKernel(),
    commands,
    answer: (prefix, answer) => {
      script.push({ prefix, answer: typeof answer === 'function' ? answer : () => answer });
    },
    answerSpawn: (prefix, make) => void spawns.push({ prefix, make }),
    answerConnect: (make) => {
      connect = make;
    },
    run: (command: string, args: readonly string[], options: RunOptions = {}) => {
      const { recorded, line } = record(command, args, options.input);
      const entry = script.findLast(({ prefix }) => line.startsWith(prefix));
      return settle(line, entry?.answer(recorded));
    },
    spawn: (command: string, args: readonly string[], _options?: LaunchOptions) => {
      const { recorded, line } = record(command, args);
      const entry = spawns.findLast(({ prefix }) => line.startsWith(prefix));
      if (!entry) throw new Error(`no answer for spawn: ${line}`);
      return entry.make(recorded);
    },
    spawnProgram: () => {
      throw new Error('no programs of our own in the fake');
    },
    connectInNamespace: (namespacePath) =>
      connect
        ? Promise.resolve(connect(namespacePath))
        : Promise.reject(new Error('no answer for connectInNamespace')),
  };
}

function settle(line: string, answer: Answer | undefined): Promise<RunResult> {
  if (!answer)
    return Promise.reject(new CommandError(line, { stderr: '', why: 'no answer in the script' }));
  const { stdout = '', stderr = '', exitCode = 0 } = answer;
  return exitCode === 0
    ? Promise.resolve({ stdout, stderr })
    : Promise.reject(new CommandError(line, { exitCode, stdout, stderr }));
}

type FakeFiles = Pick<
  RecordingSystem,
  | 'files'
  | 'directories'
  | 'read'
  | 'write'
  | 'exists'
  | 'list'
  | 'makeDirectory'
  | 'removeDirectory'
  | 'makeNetwork'
  | 'removeNetwork'
>;

function fakeFiles(initial: Readonly<Record<string, string>>): FakeFiles {
  const files = new Map(Object.entries(initial));
  const directories = new Set<string>();
  const all = () => [...files.keys(), ...directories];
  const isDirectory = (path: string) =>
    directories.has(path) || all().some((name) => name.startsWith(`${path}/`));
  return {
    files,
    directories,
    read: (path) => files.get(path),
    write: (path, text) => void files.set(path, text),
    exists: (path) => files.has(path) || isDirectory(path),
    list: (path) => {
      const prefix = path.endsWith('/') ? path : `${path}/`;
      const below = all().filter((name) => name.startsWith(prefix));
      return [...new Set(below.map((name) => name.slice(prefix.length).split('/')[0] ?? ''))];
    },
    makeDirectory: (path) => void directories.add(path),
    // As on cgroupfs: files of the directory go with it, directories below do not.
    makeNetwork: (path) => {
      if (files.has(path)) throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' });
      files.set(path, '');
    },
    removeNetwork: (path) => void files.delete(path),
    removeDirectory: (path) => {
      const below = [...directories].filter((name) => name.startsWith(`${path}/`));
      if (below.length > 0) throw Object.assign(new Error(`EBUSY: ${path}`), { code: 'EBUSY' });
      directories.delete(path);
      for (const name of files.keys()) if (name.startsWith(`${path}/`)) files.delete(name);
    },
  };
}

type KernelCalls = Pick<
  RecordingSystem,
  | 'processes'
  | 'signals'
  | 'mountTable'
  | 'namespaces'
  | 'mount'
  | 'unmount'
  | 'mounts'
  | 'mountMapped'
  | 'links'
  | 'deletedLinks'
  | 'makeRoutedLink'
  | 'deleteLink'
  | 'userNetworks'
  | 'makeUserNetwork'
  | 'keepOwner'
  | 'deviceNodes'
  | 'devices'
  | 'setOverlayOpaque'
  | 'makeWhiteout'
  | 'kill'
  | 'processState'
  | 'processStart'
  | 'makeNamespaces'
  | 'connectPackets'
>;

function fakeKernel(): KernelCalls {
  const processes = new Map<number, FakeProcess>();
  const signals: { pid: number; signal: NodeJS.Signals | number }[] = [];
  const mountTable: MountEntry[] = [];
  const namespaces: KeptNamespaces[] = [];
  const deviceNodes: DeviceNode[] = [];
  const userNetworks: RecordingSystem['userNetworks'] = [];
  const links: RecordingSystem['links'] = new Map();
  const deletedLinks: string[] = [];
  return {
    links,
    deletedLinks,
    makeRoutedLink: (namespacePath, link) =>
      Promise.resolve(void links.set(link.name, { ...link, namespacePath })),
    deleteLink: (name) => {
      deletedLinks.push(name);
      return Promise.resolve(void links.delete(name));
    },
    userNetworks,
    deviceNodes,
    makeUserNetwork: (path, users) => Promise.resolve(void userNetworks.push({ path, users })),
    keepOwner: () => undefined,
    devices: (path) =>
      deviceNodes.filter((node) => node.path === path || node.path.startsWith(`${path}/`)),
    mountMapped: ({ source, target: mountPoint }, namespacePath) =>
      void mountTable.push({ mountPoint, root: '/', type: '', source, options: namespacePath }),
    processes,
    signals,
    mountTable,
    namespaces,
    mount: (spec: MountSpec) => {
      const { source, target: mountPoint, type = '', data = '' } = spec;
      mountTable.push({ mountPoint, root: '/', type, source, options: data });
    },
    unmount: (target) => {
      const index = mountTable.findLastIndex((mount) => mount.mountPoint === target);
      if (index >= 0) mountTable.splice(index, 1);
    },
    mounts: () => [...mountTable],
    setOverlayOpaque: () => undefined,
    makeWhiteout: () => undefined,
    kill: (pid, signal) => {
      signals.push({ pid, signal });
      return processes.has(pid);
    },
    processState: (pid) => processes.get(pid)?.state,
    processStart: (pid) => processes.get(pid)?.start,
    makeNamespaces: (kept) => void namespaces.push(kept),
    connectPackets: () => {
      throw new Error('no packet sockets in the fake');
    },
  };
}
