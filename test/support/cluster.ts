// A real cluster for tests: `pinnace up` as a user starts it, in a network namespace of its own, on a temporary data directory.
// Invariant: stop() fails unless `pinnace up` exits 0 and leaves no process, mount, namespace, link, table or cgroup behind;
// whatever happens, the cluster is gone afterwards.
import { spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import { type ClusterFacts, type DataPaths, dataPaths } from '../../cli/serve/data-directory.ts';
import { readSupervisor } from '../../cli/serve/lock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { writeKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import { leftovers } from '../../tools/demo/leftovers.ts';
import { writeFileSync } from 'node:fs';
import type { ClusterAnswer, ClusterRequest } from './cluster-request.ts';
import {
  aHostNamespace,
  type HostNamespace,
  type Outcome,
  type RunHow,
} from '../../tools/host-namespace.ts';
import { type Kubectl, kubectlFor } from './kubectl.ts';
import { aContainerd, type TestContainerd } from './containerd.ts';
import { buildTestImages, SHELL_IMAGE, WEB_IMAGE } from './tiny-images.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NODE = join(ROOT, 'node_modules', '.bin', 'node');
const PROGRAM = join(ROOT, 'cli', 'pinnace.ts');
/** How long a cluster may take to start or to end. */
const CEILING_MS = 120_000;

/** What kind of cluster. */
export interface TestClusterOptions {
  /** Runs pods: needs root, runc and conmon. The images of tiny-images.ts are in its store. */
  readonly node: boolean;
  /** Fields of KubeletConfiguration. */
  readonly kubeletConfig?: object;
  /** Settings of registries; unless given none may be asked, since none can be reached. */
  readonly registries?: object;
  /** What runs them: runc and conmon unless given; else a containerd of the cluster's own, in its namespace. */
  readonly runtime?: 'containerd';
}

/** A cluster that is up. */
export interface TestCluster {
  readonly dataDir: string;
  readonly paths: DataPaths;
  readonly facts: ClusterFacts;
  readonly url: string;
  readonly kubeconfig: string;
  readonly host: HostNamespace;
  readonly kubectl: Kubectl;
  /** With `runtime: 'containerd'`. */
  readonly containerd?: TestContainerd;
  /** Pid of the supervisor. */
  readonly pid: number;
  /** Pid of a supervised process as it is now. */
  pidOf(name: 'control-plane' | 'node'): number | undefined;
  /** Sends a request from inside the namespace; a path is sent to the API server by its admin. */
  request(request: ClusterRequest): Promise<ClusterAnswer>;
  /** A kubeconfig of a user with a certificate of this cluster's CA. */
  userKubeconfig(user: string, groups?: readonly string[]): Promise<string>;
  /** Runs `pinnace` in the namespace. */
  pinnace(args: readonly string[], how?: RunHow): Promise<Outcome>;
  /** What is on the host of this cluster now. */
  left(): Promise<string[]>;
  /** Ends it as Ctrl-C does, and checks. */
  stop(): Promise<void>;
  /** Removes everything without checks, after a test that ended it in its own way. */
  dispose(): Promise<void>;
}

/** A data directory and a namespace for a cluster that is yet to start. */
export interface TestPlace {
  readonly dataDir: string;
  readonly host: HostNamespace;
  pinnace(args: readonly string[], how?: RunHow): Promise<Outcome>;
  dispose(): Promise<void>;
}

/** Makes a place. */
export function aTestPlace(): TestPlace {
  const host = aHostNamespace();
  const dataDir = mkdtempSync(join(tmpdir(), 'pinnace-cluster-'));
  const pinnace: TestPlace['pinnace'] = (args, how) => host.run(NODE, [PROGRAM, ...args], how);
  const dispose = async () => {
    process.off('exit', crash);
    await pinnace(['down', '--data-dir', dataDir]).catch(() => undefined);
    host.dispose();
    rmSync(dataDir, { recursive: true, force: true });
  };
  const crash = () =>
    spawnSync('nsenter', [
      `--net=/run/netns/${host.name}`,
      NODE,
      PROGRAM,
      'down',
      '--data-dir',
      dataDir,
    ]);
  // Before the namespace's own listener, which removes it.
  process.prependListener('exit', crash);
  return { dataDir, host, pinnace, dispose };
}

/** Starts a cluster; resolves when `pinnace up` says that it is up, and the node, if any, is Ready. */
export async function startTestCluster(options: TestClusterOptions): Promise<TestCluster> {
  const place = await aPlaceWith(options);
  try {
    const up = await startUp(place, options);
    const cluster = await describeCluster(place, up);
    if (options.node) {
      await cluster.kubectl.wait('--for=create', `node/${cluster.facts.nodeName}`);
      await cluster.kubectl.wait('--for=condition=Ready', 'node', '--all');
    }
    return cluster;
  } catch (error) {
    const logs = logsOf(place.dataDir);
    await place.dispose();
    throw new Error(`the cluster did not start: ${(error as Error).message}\n${logs}`, {
      cause: error,
    });
  }
}

/** A place with what the node needs: images, and the runtime that has them. */
async function aPlaceWith(options: TestClusterOptions): Promise<TestPlaceWithRuntime> {
  const place = aTestPlace();
  try {
    const { images, node } = dataPaths(place.dataDir);
    if (options.node) await buildTestImages(place.host.system, images);
    if (!options.runtime) return place;
    const containerd = await aContainerd({ cni: join(node, 'cni'), host: place.host });
    const dispose = async () => {
      await place.dispose();
      await containerd.dispose();
    };
    const store = createImageStore({
      system: place.host.system,
      dir: images,
      logger: silentLogger,
    });
    await containerd.load(store, [SHELL_IMAGE, WEB_IMAGE]);
    return { ...place, containerd, dispose };
  } catch (error) {
    await place.dispose();
    throw error;
  }
}

interface TestPlaceWithRuntime extends TestPlace {
  readonly containerd?: TestContainerd;
}

async function startUp(
  place: TestPlaceWithRuntime,
  options: TestClusterOptions,
): Promise<ChildProcess> {
  const runtime = place.containerd && ['--container-runtime-endpoint', place.containerd.endpoint];
  const args = [PROGRAM, 'up', '--port', '0', '--data-dir', place.dataDir, ...(runtime ?? [])];
  if (options.kubeletConfig) args.push(...configured(place, options.kubeletConfig));
  const registries = options.registries ?? { registries: { '*': { origin: false } } };
  writeFileSync(dataPaths(place.dataDir).registries, JSON.stringify(registries));
  const child = place.host.start(NODE, options.node ? args : [...args, '--no-node']);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${why}\n${said}`));
    const timer = setTimeout(() => fail('pinnace up is late'), CEILING_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`pinnace up ended with ${code}`);
    });
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (!said.includes('Pinnace is up at')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return child;
}

/** The flags that give the node its configuration. */
function configured({ dataDir }: TestPlace, fields: object): readonly string[] {
  const file = join(dataDir, 'test-kubelet.json');
  const kind = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };
  writeFileSync(file, JSON.stringify({ ...kind, ...fields }));
  return ['--kubelet-config', file];
}

async function describeCluster(
  place: TestPlaceWithRuntime,
  up: ChildProcess,
): Promise<TestCluster> {
  const { dataDir, host } = place;
  const paths = dataPaths(dataDir);
  const facts = JSON.parse(readFileSync(paths.facts, 'utf8')) as ClusterFacts;
  const url = `https://127.0.0.1:${facts.port}`;
  const home = join(dataDir, 'home');
  mkdirSync(home, { recursive: true });
  const kubectl = kubectlFor({ host, kubeconfig: paths.kubeconfig, home });
  const left = () => leftovers(host.system, { id: facts.id, dataDir });
  const ended = new Promise<number>((resolve) =>
    up.once('exit', (code, signal) => resolve(code ?? (signal ? -1 : 0))),
  );
  const tls = {
    ca: readFileSync(join(paths.pki, 'ca.crt'), 'utf8'),
    cert: readFileSync(join(paths.pki, 'admin.crt'), 'utf8'),
    key: readFileSync(join(paths.pki, 'admin.key'), 'utf8'),
  };
  return {
    ...place,
    paths,
    facts,
    url,
    kubeconfig: paths.kubeconfig,
    kubectl,
    pid: up.pid ?? 0,
    left,
    pidOf: (name) => readSupervisor(paths)?.children[name]?.pid,
    request: async (asked) => {
      const toServer = asked.url.startsWith('/') ? { url: url + asked.url, tls } : {};
      const program = join(import.meta.dirname, 'cluster-request.ts');
      const input = JSON.stringify({ ...asked, ...toServer });
      const { stdout, stderr } = await host.run(NODE, [program], { input });
      if (stdout === '') throw new Error(`no answer: ${stderr}`);
      return JSON.parse(stdout) as ClusterAnswer;
    },
    async userKubeconfig(user, groups = []) {
      const authority = await CertificateAuthority.open(paths.pki, systemClock);
      const file = `user-${user.replaceAll(/\W/g, '-')}`;
      const pair = await authority.issue({
        file,
        commonName: user,
        organizations: groups,
        usage: 'client',
      });
      const path = join(home, `${file}.kubeconfig`);
      const who = { name: 'test', server: url, ca: tls.ca, user };
      writeFileSync(path, writeKubeconfig({ ...who, clientCert: pair.cert, clientKey: pair.key }));
      return path;
    },
    async stop() {
      const logs = () => logsOf(dataDir);
      try {
        up.kill('SIGTERM');
        const code = await ended;
        const remains = await left();
        if (code !== 0) throw new Error(`pinnace up ended with ${code}\n${logs()}`);
        if (remains.length > 0) throw new Error(`left behind:\n${remains.join('\n')}\n${logs()}`);
      } finally {
        await place.dispose();
      }
    },
  };
}

/** The last lines of each log, for a failure's message. */
function logsOf(dataDir: string): string {
  const folder = join(dataDir, 'logs');
  try {
    return readdirSync(folder)
      .map((name) => {
        const lines = readFileSync(join(folder, name), 'utf8').split('\n');
        return `-- ${name}\n${lines.slice(-15).join('\n')}`;
      })
      .join('\n');
  } catch {
    return '(no logs)';
  }
}
