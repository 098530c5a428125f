// What an emptyDir of a pod is like: where it lies, and how large one in memory may become, as upstream. Pure.
// Invariant: nothing that lies in memory is without a bound.
import type { EmptyDirVolumeSource, Pod, PodSpec } from '../../api/generated/types.ts';
import { parseQuantity, toWhole } from '../../api/meta/quantity.ts';
import { sandboxResources } from '../pods/container-config.ts';
import { ConfigError } from './volume-error.ts';
import type { EmptyDirSpec } from './volume-files.ts';

/** Of huge pages: `HugePages`, or with their size. */
const HUGE_PAGES = /^HugePages(-|$)/;

/** What the pod asks for. Throws ConfigError for a medium that this node has not. `memoryBytes` is what the node has for pods. */
export function emptyDirOf(
  pod: Pod,
  { medium = '', sizeLimit }: EmptyDirVolumeSource,
  { memoryBytes }: { readonly memoryBytes: number },
): EmptyDirSpec {
  if (HUGE_PAGES.test(medium))
    throw new ConfigError(
      'FailedMount',
      `medium "${medium}" is not supported by this node: it gives no huge pages to pods; use "Memory", or leave the medium out`,
    );
  if (medium !== '' && medium !== 'Memory')
    throw new ConfigError('FailedMount', `unknown storage medium "${medium}"`);
  const inMemory = medium === 'Memory';
  const own = sizeLimit ? toWhole(parseQuantity(sizeLimit)) : 0;
  const ofPod = sandboxResources(pod.spec as PodSpec).memoryLimitBytes ?? 0;
  // Nothing can become larger than what the pod, or all pods together, may take.
  const sizeBytes = inMemory ? Math.min(...[own, ofPod, memoryBytes].filter((n) => n > 0)) : own;
  return { inMemory, sizeBytes, group: pod.spec?.securityContext?.fsGroup };
}
