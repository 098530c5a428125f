// What a host really has of a cluster's pods, asked of runc, /proc, cgroups and namespaces rather than of the agent.
// Invariant: a difference is told for each thing that is missing, double, or without a pod.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Pod } from '../../../api/generated/types.ts';
import { layoutOf } from '../../../cli/serve/cluster.ts';
import { type Layout, layoutFor } from '../../../kubelet/runtime/oci/layout.ts';
import type { ContainerRecord, SandboxRecord } from '../../../kubelet/runtime/oci/records.ts';
import { namespaceName, namespacePrefix } from '../../../network/layout.ts';
import { linkNames } from '../../../network/links.ts';
import { createCgroups } from '../../../system/cgroups.ts';
import { readRecord } from '../../../system/record-file.ts';
import type { TestCluster } from '../cluster.ts';

interface RuncContainer {
  readonly id: string;
  readonly status: string;
}

/** Where the agent of a test cluster keeps its containers. */
export function runtimeLayout(cluster: TestCluster): Layout {
  return layoutFor(join(cluster.paths.node, 'runtime'), cluster.facts.id);
}

/** How the host differs from the API's pods; empty when every pod has exactly what it should, and nothing else is there. */
export async function differencesOnHost(cluster: TestCluster): Promise<string[]> {
  const { items } = (await cluster.kubectl.json(['get', 'pods', '-A'])) as { items: Pod[] };
  const living = items.filter(({ status }) => !/Succeeded|Failed/.test(status?.phase ?? ''));
  const known = new Set(items.map(uidOf));
  return [
    ...(await containerDifferences(cluster, living)),
    ...sandboxDifferences(cluster, living),
    ...(await networkDifferences(cluster, living)),
    ...foreign('cgroup of', cgroupUids(cluster), known),
    ...foreign('volumes of', list(join(cluster.paths.node, 'pods')), known),
    ...foreign('checkpoint of', checkpoints(cluster), known),
    ...foreign('logs of', logUids(cluster), known),
    ...foreign('record of a container of', recordedUids(cluster), known),
  ];
}

const uidOf = ({ metadata }: Pod): string => metadata.uid ?? '';

async function containerDifferences(cluster: TestCluster, pods: readonly Pod[]): Promise<string[]> {
  const wanted = pods.flatMap(({ metadata, spec, status }) => {
    const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy);
    const told = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const running = told.filter(({ state }) => state?.running);
    const missing = (spec?.containers.length ?? 0) + sidecars.length - running.length;
    const ids = running.map((each) => each.containerID?.replace(/^.*:\/\//, '') ?? '');
    return missing === 0 ? ids : [...ids, `(${missing} of pod ${metadata.name} not running)`];
  });
  const root = runtimeLayout(cluster).runcRoot;
  const args = ['--root', root, 'list', '-f', 'json'];
  const { stdout } = await cluster.host.system.run('runc', args);
  const listed = (JSON.parse(stdout || '[]') ?? []) as RuncContainer[];
  const running = listed.filter(({ status }) => status !== 'stopped').map(({ id }) => id);
  return [
    ...compare('container in runc', wanted, running),
    ...compare('conmon of container', wanted, conmons(cluster)),
  ];
}

/** The containers that a conmon holds; those of commands in containers are not counted. */
function conmons(cluster: TestCluster): string[] {
  return list('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => (read(`/proc/${pid}/cmdline`) ?? '').split('\0'))
    .filter((args) => basename(args[0] ?? '') === 'conmon' && !args.includes('-e'))
    .filter((args) => args.some((arg) => arg.includes(cluster.dataDir)))
    .map((args) => args[args.indexOf('-c') + 1] ?? '');
}

function sandboxDifferences(cluster: TestCluster, pods: readonly Pod[]): string[] {
  const folder = runtimeLayout(cluster).sandboxes;
  const ready = list(folder).flatMap((id) => {
    const record = recordIn<SandboxRecord>(join(folder, id, 'sandbox.json'));
    return record.state === 'notready' ? [] : [record.config?.podUid ?? `(unreadable ${id})`];
  });
  return compare('sandbox of pod', pods.map(uidOf), ready);
}

async function networkDifferences(cluster: TestCluster, pods: readonly Pod[]): Promise<string[]> {
  const layout = layoutOf(cluster.facts);
  const names = list('/run/netns').filter((name) => name.startsWith(namespacePrefix(layout)));
  const links = (await linkNames(cluster.host.system)).filter((name) =>
    name.startsWith(`p${cluster.facts.id}-`),
  );
  const files = list(join(cluster.paths.node, 'network', 'pods'));
  const wantedNames = pods.map((pod) => namespaceName(layout, uidOf(pod)));
  return [
    ...compare('network namespace', wantedNames, names),
    ...compare(
      'attachment',
      pods.map((pod) => `${uidOf(pod)}.json`),
      files,
    ),
    ...(links.length === pods.length ? [] : [`${links.length} links for ${pods.length} pods`]),
    ...(await wayDifferences(cluster, pods)),
  ];
}

/** A pod's address, its way out, and the host's way in: an agent may have died between any two of them. */
async function wayDifferences(cluster: TestCluster, pods: readonly Pod[]): Promise<string[]> {
  const routes = (await cluster.host.run('ip', ['route', 'show'])).stdout.split('\n');
  const wrong: string[] = [];
  // One after the other: a hundred pods would be as many processes at once.
  for (const pod of pods) {
    const ip = pod.status?.podIP ?? '(no address)';
    const inside = ['-n', namespaceName(layoutOf(cluster.facts), uidOf(pod)), '-batch', '-'];
    const input = 'address show dev eth0\nroute show default\n';
    const { stdout } = await cluster.host.run('ip', inside, { input });
    const wayIn = routes.filter((route) => route.startsWith(`${ip} `)).join();
    const asked: readonly (readonly [what: string, said: string, answer: string])[] = [
      ['address', stdout, `inet ${ip}/32`],
      ['way out', stdout, 'default via'],
      ['way in', wayIn, `dev p${cluster.facts.id}-`],
    ];
    for (const [what, said, answer] of asked)
      if (!said.includes(answer))
        wrong.push(`${what} of pod ${pod.metadata.name} (${ip}): ${said}`);
  }
  return wrong;
}

function cgroupUids(cluster: TestCluster): string[] {
  const groups = createCgroups(cluster.host.system).children(runtimeLayout(cluster).cgroup);
  return groups.map((name) => name.replace(/^pod/, ''));
}

const checkpoints = (cluster: TestCluster): string[] =>
  list(join(cluster.paths.node, 'checkpoints')).map((file) => file.replace(/\.json$/, ''));

const logUids = (cluster: TestCluster): string[] =>
  list(join(cluster.paths.node, 'logs', 'pods')).map((folder) => folder.split('_')[2] ?? folder);

function recordedUids(cluster: TestCluster): string[] {
  const folder = runtimeLayout(cluster).containers;
  return list(folder).map((id) => {
    const { podUid } = recordIn<ContainerRecord>(join(folder, id, 'container.json'));
    return podUid ?? `(unreadable ${id})`;
  });
}

/** Each wanted thing is there once, and nothing else. */
function compare(what: string, wanted: readonly string[], found: readonly string[]): string[] {
  const count = (all: readonly string[], one: string) => all.filter((each) => each === one).length;
  return [...new Set([...wanted, ...found])]
    .filter((one) => count(wanted, one) !== count(found, one))
    .map((one) => `${what} ${one}: ${count(found, one)} times, not ${count(wanted, one)}`);
}

function foreign(what: string, found: readonly string[], known: ReadonlySet<string>): string[] {
  return found.filter((uid) => !known.has(uid)).map((uid) => `${what} nobody's pod ${uid}`);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Nothing of one that was removed meanwhile. */
function recordIn<T>(path: string): Partial<T> {
  try {
    return (readRecord(path) ?? {}) as Partial<T>;
  } catch {
    return {};
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
