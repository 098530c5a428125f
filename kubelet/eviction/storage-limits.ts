// Has a pod written more than it may? Limits of emptyDir volumes, of the pod and of its containers. Pure; words are upstream's.
// Invariant: a limit of zero, or none, is none.
import type { Container, Pod } from '../../api/generated/types.ts';
import { parseResources, podLimits } from '../../api/meta/pod-resources.ts';
import {
  formatQuantity,
  type Quantity,
  toWhole,
  tryParseQuantity,
} from '../../api/meta/quantity.ts';
import { diskOf, type PodUse, WHOLE } from './pod-usage.ts';

const STORAGE = 'ephemeral-storage';

/** Does the pod have a limit on what it writes? */
export function hasStorageLimit({ spec }: Pod): boolean {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return (
    containers.some((each) => each.resources?.limits?.[STORAGE] !== undefined) ||
    (spec?.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined)
  );
}

/** A limit that a pod is beyond. */
export interface StorageExcess {
  /** As upstream's figures call it. */
  readonly signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit' | 'ephemeralcontainerfs.limit';
  readonly message: string;
}

/** Which limit the pod is beyond; undefined when none. */
export function storageExcess(pod: Pod, use: PodUse): StorageExcess | undefined {
  return volumeExcess(pod, use) ?? podExcess(pod, use) ?? containerExcess(pod, use);
}

function volumeExcess({ spec }: Pod, { volumes }: PodUse): StorageExcess | undefined {
  for (const { name, emptyDir } of spec?.volumes ?? []) {
    const limit = tryParseQuantity(emptyDir?.sizeLimit ?? '');
    if (!limit || !isBeyond(volumes.get(name)?.bytes ?? 0, limit)) continue;
    const message = `Usage of EmptyDir volume "${name}" exceeds the limit "${formatQuantity(limit)}". `;
    return { signal: 'emptydirfs.limit', message };
  }
  return undefined;
}

function podExcess({ spec }: Pod, use: PodUse): StorageExcess | undefined {
  const limit = spec && podLimits(spec)[STORAGE];
  if (!limit || !isBeyond(diskOf(use, WHOLE).bytes, limit)) return undefined;
  const message = `Pod ephemeral local storage usage exceeds the total limit of containers ${formatQuantity(limit)}. `;
  return { signal: 'ephemeralpodfs.limit', message };
}

function containerExcess({ spec }: Pod, { containers }: PodUse): StorageExcess | undefined {
  for (const { name, logs, root } of containers) {
    const container = spec?.containers.find((each) => each.name === name);
    const limit = container && limitOf(container);
    if (!limit || !isBeyond(logs.bytes + root.bytes, limit)) continue;
    const message = `Container ${name} exceeded its local ephemeral storage limit "${formatQuantity(limit)}". `;
    return { signal: 'ephemeralcontainerfs.limit', message };
  }
  return undefined;
}

const limitOf = ({ resources }: Container): Quantity | undefined =>
  parseResources(resources?.limits)[STORAGE];

const isBeyond = (bytes: number, limit: Quantity): boolean =>
  limit.nanos > 0n && bytes > toWhole(limit);
