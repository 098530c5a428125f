// The real helm, run inside a test cluster's namespace, with a home of its own: what it caches and where it looks is the cluster's.
// Invariant: no call outlives its ceiling; charts are those under test/clients/charts.
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Outcome, RunHow } from '../../tools/host-namespace.ts';
import type { Json } from './api-caller.ts';
import type { TestCluster } from './cluster.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** The binary that the repository brings along. */
export const HELM = join(ROOT, 'node_modules', '.cache', 'clients', 'helm');
const CHARTS = join(ROOT, 'test', 'clients', 'charts');

/** Longer than any `--timeout` that a test gives to helm itself. */
const CEILING_MS = 120_000;

/** Where a chart of the tests is, by its name. */
export const chart = (name: 'settings' | 'payment' | 'pantry'): string => join(CHARTS, name);

/** helm against one namespace of a cluster. */
export interface Helm {
  readonly namespace: string;
  /** Runs to the end, whatever the exit code. */
  run(args: readonly string[], how?: RunHow): Promise<Outcome>;
  /** Standard output of a call that must succeed. */
  ok(args: readonly string[], how?: RunHow): Promise<string>;
  /** Standard error of a call that must fail. */
  fails(args: readonly string[], how?: RunHow): Promise<string>;
  /** Parsed `-o json` of a call that must succeed. */
  json(args: readonly string[]): Promise<Json>;
  /** `REVISION STATUS` of each revision that is kept, oldest first. */
  revisions(release: string): Promise<string[]>;
}

/** Where releases are recorded, and by whom. */
export interface HelmOptions {
  readonly namespace: string;
  /** `secret` unless given. */
  readonly driver?: 'secret' | 'configmap';
  /** The cluster's admin unless given. */
  readonly kubeconfig?: string;
}

/** helm for a cluster. */
export function helmFor(cluster: TestCluster, options: HelmOptions): Helm {
  const { namespace, driver = 'secret', kubeconfig = cluster.kubeconfig } = options;
  const env = {
    KUBECONFIG: kubeconfig,
    HOME: join(cluster.dataDir, 'home'),
    HELM_DRIVER: driver,
    HELM_NAMESPACE: namespace,
  };
  const run: Helm['run'] = (args, how = {}) =>
    cluster.host.run(HELM, args, { timeoutMs: CEILING_MS, ...how, env: { ...env, ...how.env } });
  const outcome = async (args: readonly string[], how: RunHow | undefined, wanted: boolean) => {
    const { code, stdout, stderr } = await run(args, how);
    if ((code === 0) !== wanted)
      throw new Error(`helm ${args.join(' ')}: exit ${code}\n${stdout}\n${stderr}`);
    return wanted ? stdout : stderr;
  };
  const ok: Helm['ok'] = (args, how) => outcome(args, how, true);
  const json: Helm['json'] = async (args) => JSON.parse(await ok([...args, '-o', 'json'])) as Json;
  return {
    namespace,
    run,
    ok,
    json,
    fails: (args, how) => outcome(args, how, false),
    revisions: async (release) => {
      const all: unknown = await json(['history', release]);
      return (all as Json[]).map(({ revision, status }) => [revision, status].join(' '));
    },
  };
}

/** What of a release's record the tests look at. */
interface RecordedRelease {
  readonly name: string;
  readonly version: number;
  /** The values that were given to it. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** The release that a Secret of helm's records. */
export function recordedRelease(secret: {
  readonly data: { readonly release: string };
}): RecordedRelease {
  const text = Buffer.from(secret.data.release, 'base64').toString();
  return JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()) as RecordedRelease;
}
