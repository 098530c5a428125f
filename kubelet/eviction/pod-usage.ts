// What pods use of a node's resources, and in which order they are evicted for it. Pure; the order is upstream's.
// Invariant: what a pod asked for is taken off before it is compared.
import type { Pod } from '../../api/generated/types.ts';
import { podRequests } from '../../api/meta/pod-resources.ts';
import { toWhole } from '../../api/meta/quantity.ts';
import type { StarvedResource } from './thresholds.ts';

/** Amounts on disks. */
export interface DiskAmount {
  readonly bytes: number;
  /** 0 where nobody asked for them. */
  readonly inodes: number;
}

/** What one container uses. */
export interface ContainerUse {
  readonly name: string;
  readonly memoryBytes: number;
  readonly logs: DiskAmount;
  /** Its writable layer. */
  readonly root: DiskAmount;
}

/** What one pod uses. */
export interface PodUse {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly containers: readonly ContainerUse[];
  /** Volumes of the pod's own, by name. */
  readonly volumes: ReadonlyMap<string, DiskAmount>;
}

/** Which parts of a pod's use lie on the file system in question. */
export interface DiskParts {
  readonly logs: boolean;
  readonly root: boolean;
  readonly volumes: boolean;
}

/** Everything of a pod that lies on disks. */
export const WHOLE: DiskParts = { logs: true, root: true, volumes: true };

/** What a pod has on disks. */
export function diskOf(use: PodUse, parts: DiskParts): DiskAmount {
  const amounts = [
    ...use.containers.flatMap(({ logs, root }) => [
      ...(parts.logs ? [logs] : []),
      ...(parts.root ? [root] : []),
    ]),
    ...(parts.volumes ? use.volumes.values() : []),
  ];
  return amounts.reduce(
    (sum, each) => ({ bytes: sum.bytes + each.bytes, inodes: sum.inodes + each.inodes }),
    { bytes: 0, inodes: 0 },
  );
}

/** The pods, those to be evicted first at the front. */
export function rankForEviction(
  uses: ReadonlyMap<Pod, PodUse>,
  { resource, parts }: { resource: StarvedResource; parts: DiskParts },
): Pod[] {
  const ranked = Array.from(uses, ([pod, use]): Ranked => {
    const used = amountOf(use, resource, parts);
    const asked = requestOf(pod, resource);
    return { pod, exceeds: used > asked, beyond: used - asked };
  });
  return ranked.toSorted(resource === 'pids' ? byProcesses : byExcess).map(({ pod }) => pod);
}

interface Ranked {
  readonly pod: Pod;
  readonly exceeds: boolean;
  readonly beyond: number;
}

const priorityOf = ({ spec }: Pod): number => spec?.priority ?? 0;

function byExcess(a: Ranked, b: Ranked): number {
  return Number(b.exceeds) - Number(a.exceeds) || byProcesses(a, b);
}

function byProcesses(a: Ranked, b: Ranked): number {
  return priorityOf(a.pod) - priorityOf(b.pod) || b.beyond - a.beyond;
}

function amountOf(use: PodUse, resource: StarvedResource, parts: DiskParts): number {
  switch (resource) {
    case 'memory':
      return use.memoryBytes;
    case 'pids':
      return use.processes;
    case 'inodes':
      return diskOf(use, parts).inodes;
    case 'ephemeral-storage':
      return diskOf(use, parts).bytes;
  }
}

function requestOf({ spec }: Pod, resource: StarvedResource): number {
  const quantity = spec && podRequests(spec)[resource];
  return quantity ? toWhole(quantity) : 0;
}
