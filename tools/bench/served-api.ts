// `pinnace apiserver` as a process of its own, with a user who has rules of RBAC's and no others, for the parts that load it.
// Invariant: the process ends with `use`, and with this process (its IPC channel); its directory is the caller's.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../base/clock.ts';
import { loadCa, loadPair } from '../../cli/serve/certificates.ts';
import { dataPaths, readFacts } from '../../cli/serve/data-directory.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import type { ChildMessage } from '../../cli/serve/supervisor.ts';
import { flagsOf } from '../../cli/serve/programs.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import type { Target } from './http-connection.ts';
import type { LoopDelay } from './loop-probe.ts';
import { cpuMsOf } from './process-usage.ts';

const PROBE = fileURLToPath(new URL('./loop-probe.ts', import.meta.url));
const BARE = new URL('./bare-server.ts', import.meta.url);
const COMMAND = fileURLToPath(new URL('../../cli/pinnace.mjs', import.meta.url));
/** The user of the load: known by its certificate, and nothing more than `user` below gives it. */
export const BENCH_USER = 'bench';

/** A server under load. */
export interface ServedApi {
  /** Where and as whom the load asks. */
  readonly target: Target;
  readonly pid: number;
  /** An admin, for what the load needs to be there. */
  readonly client: Client;
  /** The longest that the server's event loop was held since the last call, ms. */
  longestTurn(): Promise<number>;
  /** Memory in use after a collection, MB; the server's Node needs --expose-gc. */
  usedMb(): Promise<number>;
}

/** Runs a server in `dataDir` while `use` lasts; `nodeFlags` go to its Node beside its own. */
export async function withServedApi<T>(
  dataDir: string,
  use: (api: ServedApi) => Promise<T>,
  nodeFlags: readonly string[] = [],
): Promise<T> {
  const socket = join(dataDir, 'loop.sock');
  const child = spawn(
    process.execPath,
    [
      ...flagsOf('control-plane'),
      '--disable-warning=ExperimentalWarning',
      `--import=${PROBE}`,
      ...nodeFlags,
      COMMAND,
      'apiserver',
      '--data-dir',
      dataDir,
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, PINNACE_BENCH_LOOP: socket },
    },
  );
  child.stderr?.resume();
  const ended = once(child, 'exit');
  try {
    await ready(child);
    const paths = dataPaths(dataDir);
    const facts = readFacts(paths);
    const authority = await CertificateAuthority.open(paths.pki, systemClock);
    const user = await authority.issue({ file: 'bench', commonName: BENCH_USER, usage: 'client' });
    const client = createClient(
      createHttpTransport((await loadKubeconfig(paths.kubeconfig)).transport),
    );
    const target = { host: '127.0.0.1', port: facts?.port ?? 0, ca: loadCa(paths.pki), ...user };
    try {
      return await use({
        target,
        pid: child.pid ?? 0,
        client,
        longestTurn: async () => (await askProbe(socket)).longest,
        usedMb: async () => (await askProbe(socket)).usedMb ?? Number.NaN,
      });
    } finally {
      client.transport.close();
    }
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function askProbe(socket: string): Promise<LoopDelay> {
  const asking = connect(socket);
  await once(asking, 'connect');
  return JSON.parse(await text(asking)) as LoopDelay;
}

async function ready(child: ChildProcess): Promise<void> {
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => [{ kind: 'failed', message: 'it ended before it was ready' }]),
  ])) as [ChildMessage];
  if (message.kind === 'failed') throw new Error(`the API server: ${message.message}`);
}

/** See bare-server.ts. */
export interface BareServer {
  readonly pid: number;
  readonly port: number;
}

/** Runs a bare server while `use` lasts; it shows the certificate of the API server whose directory this is. */
export async function withBareServer<T>(
  dataDir: string,
  use: (bare: BareServer) => Promise<T>,
): Promise<T> {
  const pki = `${dataDir}/pki`;
  const child = fork(BARE);
  const ended = once(child, 'exit');
  try {
    child.send({ ...loadPair(pki, 'apiserver'), ca: loadCa(pki) });
    const told = (await Promise.race([once(child, 'message'), ended])) as [{ port?: number }];
    const port = told[0]?.port;
    if (port === undefined) throw new Error('the bare server ended before it was ready');
    return await use({ pid: child.pid ?? 0, port });
  } finally {
    if (child.connected) child.disconnect();
    await ended;
  }
}

/** The CPU time, in ms of all threads, that a process needs for some work. */
export async function cpuDuring<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ result: T; cpuMs: number }> {
  const before = cpuMsOf(pid);
  const result = await work();
  return { result, cpuMs: cpuMsOf(pid) - before };
}
