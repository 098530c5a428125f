// The data directory of a cluster: where everything lies, and the facts fixed at its first start.
// Invariant: a directory belongs to one cluster; its id and address ranges never change once written.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** What was fixed at first start, kept in cluster.json. */
export interface ClusterFacts {
  /** Six hex digits; part of every name this cluster makes on the host. */
  readonly id: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Address that Services' DNS answers on. */
  readonly dnsIp: string;
  /** Address of the first node, on a device of its own. */
  readonly nodeIp: string;
  readonly nodeName: string;
  /** Port of the API server; one that was asked for by number is that of later starts, too. */
  readonly port: number;
  /** True where the port was picked free: it holds for one run. */
  readonly portPicked?: boolean;
  readonly kubeletPort: number;
  /** Where the node's container runtime serves CRI; containers are run by runc and conmon without one. */
  readonly containerRuntimeEndpoint?: string;
}

/** Paths below a data directory. */
export interface DataPaths {
  readonly root: string;
  readonly facts: string;
  readonly store: string;
  readonly pki: string;
  readonly node: string;
  /** What the embedded runtime of the node remembers. */
  readonly runtime: string;
  readonly images: string;
  readonly logs: string;
  readonly supervisorPid: string;
  readonly kubeconfig: string;
  readonly kubeletConfig: string;
  readonly registries: string;
  /** Where the admission configuration is that was given last. */
  readonly admissionConfig: string;
}

/** A failure of use, shown as one line without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Where a cluster's data lies unless told otherwise. */
export function defaultDataDirectory(environment: NodeJS.ProcessEnv): string {
  return environment['PINNACE_DATA_DIR'] ?? join(homedir(), '.pinnace');
}

/** The paths below `root`. */
export function dataPaths(root: string): DataPaths {
  const at = (...parts: string[]) => join(resolve(root), ...parts);
  return {
    root: at(),
    facts: at('cluster.json'),
    store: at('store'),
    pki: at('pki'),
    node: at('node'),
    runtime: at('node', 'runtime'),
    images: at('images'),
    logs: at('logs'),
    supervisorPid: at('supervisor.json'),
    kubeconfig: at('kubeconfig'),
    kubeletConfig: at('kubelet-config.json'),
    registries: at('registries.json'),
    admissionConfig: at('admission-config.json'),
  };
}

/** A command on this cluster, as it is typed in the clone. */
export function commandFor(command: string, paths: DataPaths): string {
  const own = paths.root === resolve(defaultDataDirectory(process.env));
  return `npx pinnace ${command}${own ? '' : ` --data-dir ${paths.root}`}`;
}

/** Makes the directories; says in one line what is wrong when it cannot. */
export function prepareDataDirectory(paths: DataPaths): void {
  try {
    for (const folder of [paths.root, paths.pki, paths.node, paths.images, paths.logs])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(paths.root, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `cannot write to the data directory ${paths.root} (${why}); choose another with --data-dir`,
    );
  }
}

/** The facts written at an earlier start, if there was one. */
export function readFacts(paths: DataPaths): ClusterFacts | undefined {
  if (!existsSync(paths.facts)) return undefined;
  try {
    return checkedFacts(JSON.parse(readFileSync(paths.facts, 'utf8')));
  } catch (error) {
    throw new UsageError(
      `${paths.facts} cannot be read (${(error as Error).message}); restore it, or start with another --data-dir`,
    );
  }
}

const TEXTS = ['id', 'podCidr', 'serviceCidr', 'dnsIp', 'nodeIp', 'nodeName'] as const;
const NUMBERS = ['port', 'kubeletPort'] as const;

function checkedFacts(value: unknown): ClusterFacts {
  const facts = (value ?? {}) as Readonly<Record<string, unknown>>;
  const wrong =
    TEXTS.find((name) => typeof facts[name] !== 'string') ??
    NUMBERS.find((name) => typeof facts[name] !== 'number');
  if (wrong !== undefined) throw new Error(`it has no right ${wrong}`);
  return value as ClusterFacts;
}

/** Writes the facts so that a crash leaves the old file or the new one, never half of it. */
export function writeFacts(paths: DataPaths, facts: ClusterFacts): void {
  writeAtomically(paths.facts, `${JSON.stringify(facts, null, 2)}\n`, 0o600);
}

/** Replaces a file by rename. The draft is a new file of ours: what others put in its place is not written through. */
export function writeAtomically(path: string, text: string, mode: number): void {
  const draft = `${path}.${process.pid}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode, flag: 'wx' });
  renameSync(draft, path);
}
