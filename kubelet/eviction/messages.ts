// What evictions say of their reasons: texts are upstream's, their last blank included. Pure.
import type { Pod } from '../../api/generated/types.ts';
import { parseResources } from '../../api/meta/pod-resources.ts';
import {
  formatQuantity,
  type QuantityFormat,
  quantityOf,
  toWhole,
} from '../../api/meta/quantity.ts';
import { amountOf } from './signals.ts';
import type { PodUse } from './pod-usage.ts';
import {
  type Observations,
  type Pressure,
  resourceOf,
  type StarvedResource,
  type Threshold,
} from './thresholds.ts';

/** Reason of a pod that was evicted, or refused while the node is under pressure. */
export const EVICTED = 'Evicted';

/** Why a pod is not taken. */
export const underPressure = (pressures: readonly Pressure[]): string =>
  `The node had condition: [${pressures.join(' ')}]. `;

/** Why a pod is evicted for want of a resource: the threshold, and its containers that use more than they asked for. */
export function starvedMessage(
  pod: Pod,
  use: PodUse | undefined,
  what: { resource: StarvedResource; due: readonly Threshold[]; observations: Observations },
): string {
  const { resource } = what;
  const containers = (use?.containers ?? []).flatMap(({ name, memoryBytes, logs, root }) => {
    if (resource !== 'memory' && resource !== 'ephemeral-storage') return [];
    const used = resource === 'memory' ? memoryBytes : logs.bytes + root.bytes;
    const asked = requestOf(pod, name, resource);
    if (!asked || used <= asked.amount) return [];
    return `Container ${name} was using ${figure(used)}, request is ${asked.text}, has larger consumption of ${resource}. `;
  });
  return `The node was low on resource: ${resource}. ${thresholdText(what)}${containers.join('')}`;
}

/** The figures of the first threshold of that resource. */
function thresholdText({
  resource,
  due,
  observations,
}: {
  resource: StarvedResource;
  due: readonly Threshold[];
  observations: Observations;
}): string {
  for (const { signal, value } of due) {
    const observed = observations.get(signal);
    if (resourceOf(signal) !== resource || !observed) continue;
    const format = resource === 'inodes' || resource === 'pids' ? 'decimal' : 'binary';
    const quantity =
      value.kind === 'amount' ? value.text : figure(amountOf(value, observed.capacity), format);
    return `Threshold quantity: ${quantity}, available: ${figure(observed.available, format)}. `;
  }
  return '';
}

const figure = (amount: number, format: QuantityFormat = 'binary'): string =>
  formatQuantity(quantityOf(amount, format));

/** Undefined for a container that is not among those that a pod is counted by. */
function requestOf(
  { spec }: Pod,
  name: string,
  resource: string,
): { amount: number; text: string } | undefined {
  const sidecars = (spec?.initContainers ?? []).filter((each) => each.restartPolicy === 'Always');
  const container = [...(spec?.containers ?? []), ...sidecars].find((each) => each.name === name);
  if (!container) return undefined;
  const quantity = parseResources(container.resources?.requests)[resource];
  return quantity
    ? { amount: toWhole(quantity), text: formatQuantity(quantity) }
    : { amount: 0, text: '0' };
}
