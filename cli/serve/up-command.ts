// What `pinnace up` does around startCluster: the foreground, or a detached process; and what to type next.
import { openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { once } from 'node:events';
import { createLinuxSystem } from '../../system/linux.ts';
import {
  commandFor,
  type DataPaths,
  dataPaths,
  prepareDataDirectory,
  UsageError,
} from './data-directory.ts';
import { startCluster, type UpOptions } from './up.ts';

/** Flags of the command. */
export interface UpFlags {
  readonly dataDir: string;
  readonly port?: number;
  readonly kubeconfig?: string;
  readonly kubeletConfig?: string;
  readonly registries?: string;
  readonly admissionControlConfigFile?: string;
  readonly containerRuntimeEndpoint?: string;
  readonly detach?: boolean;
  readonly node: boolean;
}

/** What a detached process tells the one that started it. */
type Notice = { readonly up: string } | { readonly failed: string };

/** Starts a cluster; in the foreground it returns when told to stop. */
export async function runUp(flags: UpFlags): Promise<void> {
  const detached = isDetached();
  if (flags.detach && !detached) {
    await detach(flags);
    return;
  }
  const tell = detached ? toStarter : toTerminal;
  const options: UpOptions = {
    dataDir: flags.dataDir,
    port: flags.port,
    kubeconfig: flags.kubeconfig,
    kubeletConfig: flags.kubeletConfig,
    registries: flags.registries,
    admissionConfig: flags.admissionControlConfigFile,
    containerRuntimeEndpoint: flags.containerRuntimeEndpoint,
    node: flags.node,
  };
  const stopped = stopSignal();
  try {
    const cluster = await startCluster(options, stopped);
    const text = nextSteps({
      url: cluster.url,
      kubeconfig: flags.kubeconfig ?? cluster.paths.kubeconfig,
      readyMs: cluster.readyMs,
      paths: cluster.paths,
      node: flags.node,
      stop: flags.detach ? commandFor('down', cluster.paths) : 'Ctrl-C',
    });
    tell({ up: text });
    let failure: unknown;
    await Promise.race([stopped, cluster.failed]).catch((error: unknown) => {
      failure = error;
    });
    await cluster.stop();
    if (failure) throw new UsageError((failure as Error).message);
  } catch (error) {
    if (detached && error instanceof Error) tell({ failed: error.message });
    throw error;
  }
}

/** Names the process that started this one to be detached. Another one may have an IPC channel to it as well. */
const STARTER = 'PINNACE_DETACHED_BY';

/** Is this the detached process, rather than the one that starts it? Its own children are not told. */
function isDetached(): boolean {
  const starter = process.env[STARTER];
  delete process.env[STARTER];
  return process.send !== undefined && starter === String(process.ppid);
}

function toStarter(notice: Notice): void {
  process.send?.(notice);
  if ('up' in notice) process.disconnect();
}

function toTerminal(notice: Notice): void {
  if ('up' in notice) process.stdout.write(notice.up);
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve());
  });
}

async function detach(flags: UpFlags): Promise<void> {
  const paths = dataPaths(flags.dataDir);
  prepareDataDirectory(paths);
  const log = openSync(join(paths.logs, 'up.log'), 'a', 0o600);
  const child = createLinuxSystem().spawnProgram(process.argv.slice(1), {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, [STARTER]: String(process.pid) },
  });
  const notice = new Promise<Notice>((resolve) => {
    child.once('message', (message) => resolve(message as Notice));
    child.once('error', (error) => resolve({ failed: error.message }));
    void once(child, 'exit').then(() => resolve({ failed: `it ended; see ${paths.logs}/up.log` }));
  });
  const said = await notice;
  if ('failed' in said) throw new UsageError(said.failed);
  process.stdout.write(said.up);
  child.unref();
  if (child.connected) child.disconnect();
}

function nextSteps(facts: {
  url: string;
  kubeconfig: string;
  readyMs: number;
  paths: DataPaths;
  node: boolean;
  stop: string;
}): string {
  const buildShop = commandFor('image build-shop', facts.paths);
  const steps = [
    `export KUBECONFIG=${resolve(facts.kubeconfig)}`,
    ...(facts.node
      ? [
          'kubectl get nodes                     or, without kubectl: npx pinnace get nodes',
          `kubectl apply -f manifests/shop/      a shop of two services (build its images first: ${buildShop})`,
          'kubectl get pods -A -w',
        ]
      : ['kubectl get namespaces                or, without kubectl: npx pinnace get namespaces']),
  ];
  return `Pinnace is up at ${facts.url} (ready after ${(facts.readyMs / 1000).toFixed(2)} s)

${steps.map((step) => `  ${step}\n`).join('')}
${facts.stop} stops it.
`;
}
