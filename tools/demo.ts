// `npm run demo`: sets a cluster up, deploys the shop, plays the story, judges it, writes a report, cleans up.
// Flags: --keep leaves the cluster up; --report FILE; --data-dir DIR.
// Invariant: exit 0 only if every check of the verdict held; on Ctrl-C and on failure it cleans up all the same.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { systemRandom } from '../base/random.ts';
import { applyFiles } from '../cli/commands/apply-files.ts';
import { dataPaths, prepareDataDirectory, UsageError } from '../cli/serve/data-directory.ts';
import { type RunningCluster, startCluster } from '../cli/serve/up.ts';
import { createInformerFactory } from '../client/informer/informer-factory.ts';
import { loadKubeconfig } from '../client/kubeconfig/kubeconfig.ts';
import { createClient } from '../client/rest/rest-client.ts';
import { createHttpTransport } from '../client/transport/http.ts';
import { createLinuxSystem } from '../system/linux.ts';
import { buildShopImages } from '../examples/shop/images.ts';
import { leftovers } from './demo/leftovers.ts';
import { Observer } from './demo/observer.ts';
import { reportHtml } from './demo/report.ts';
import { type Story, Storyteller } from './demo/story.ts';
import { judge } from './demo/verdict.ts';
import { createView, type View } from './demo/view.ts';

const { values: flags } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    report: { type: 'string', default: 'demo-report.html' },
    'data-dir': { type: 'string' },
  },
});

const root = resolve(import.meta.dirname, '..');
const system = createLinuxSystem();
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));

/** What was found on this machine after the end; empty before there is a cluster. */
let remains: readonly string[] = [];

async function main(view: View): Promise<boolean> {
  const made = flags['data-dir'] === undefined;
  const dataDir = flags['data-dir'] ?? mkdtempSync(join(tmpdir(), 'pinnace-demo-'));
  let cluster: RunningCluster | undefined;
  let story: Story | undefined;
  let left: string[] | undefined;
  try {
    view.stage('Setting up: images of the shop, from this machine’s own Node and libraries');
    const paths = dataPaths(dataDir);
    prepareDataDirectory(paths);
    await buildShopImages({ system, imagesDir: paths.images });
    interrupted.signal.throwIfAborted();
    view.stage('Starting the cluster');
    cluster = await startCluster({ dataDir, port: 0, kubeconfig: undefined, node: true });
    interrupted.signal.throwIfAborted();
    view.note(`API server ready after ${(cluster.readyMs / 1000).toFixed(2)} s at ${cluster.url}`);
    story = await play(cluster, view);
  } finally {
    const kept = flags.keep && story !== undefined && !interrupted.signal.aborted;
    if (cluster && !kept) {
      await cluster.stop();
      left = await leftovers(system, { id: cluster.facts.id, dataDir });
      remains = left;
    }
    if (made && !kept) rmSync(dataDir, { recursive: true, force: true });
  }
  const checks = judge({ ...story.measured, leftovers: left });
  view.summary(checks);
  const { seconds, moments } = story;
  writeFileSync(flags.report, reportHtml({ title: 'Pinnace: the sale', seconds, moments, checks }));
  view.note(`report with charts: ${resolve(flags.report)}`);
  if (flags.keep && cluster && left === undefined) {
    view.note(keepText(cluster));
    await waitForInterrupt(cluster);
    view.note(
      made
        ? 'the cluster has ended, and its data is removed'
        : 'the cluster has ended; its data stays',
    );
  }
  return checks.every((check) => check.ok);
}

async function play(cluster: RunningCluster, view: View): Promise<Story> {
  const { transport: options } = await loadKubeconfig(cluster.paths.kubeconfig);
  const transport = createHttpTransport(options);
  const watching = new AbortController();
  const stopWatching = () => watching.abort(new Error('the story is over'));
  interrupted.signal.addEventListener('abort', stopWatching, { once: true });
  try {
    const client = createClient(transport);
    const informers = createInformerFactory({
      client,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    });
    const observer = new Observer(informers, systemClock, interrupted.signal);
    view.stage('Deploying the shop from manifests/shop');
    for (const line of await applyFiles(client, manifestFiles())) view.note(line);
    informers.start(watching.signal);
    await informers.synced(watching.signal);
    return await new Storyteller({
      client,
      observer,
      system,
      clock: systemClock,
      view,
      signal: interrupted.signal,
    }).play();
  } finally {
    stopWatching();
    transport.close();
  }
}

function manifestFiles(): string[] {
  const folder = join(root, 'manifests/shop');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

function keepText(cluster: RunningCluster): string {
  return `the cluster stays up: export KUBECONFIG=${cluster.paths.kubeconfig}; Ctrl-C ends it`;
}

/** With --keep this process goes on supervising until it is told to end. */
async function waitForInterrupt(cluster: RunningCluster): Promise<void> {
  // A listener alone does not keep a process alive; the supervised children's channels do.
  if (!interrupted.signal.aborted)
    await new Promise<void>((end) => {
      interrupted.signal.addEventListener('abort', () => end(), { once: true });
    });
  await cluster.stop();
  if (flags['data-dir'] === undefined) rmSync(cluster.paths.root, { recursive: true, force: true });
}

/** Why it ended early. Whatever an interrupt broke (a program it ran, a wait) is no failure of its own. */
function endingText(error: unknown): string {
  if (interrupted.signal.aborted)
    return remains.length === 0
      ? `${(interrupted.signal.reason as Error).message}; cleaned up, nothing is left`
      : `${(interrupted.signal.reason as Error).message}; cleaned up, but this is left: ${remains.join(', ')}`;
  if (!(error instanceof Error)) return String(error);
  return error instanceof UsageError ? error.message : (error.stack ?? error.message);
}

try {
  process.exitCode = (await main(createView(process.stdout))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`demo: ${endingText(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
process.exit();
