// What a pod requests must be free; so must its host ports, and a place among the node's pods.
import type { FilterPlugin } from '../framework/plugin.ts';

/** Nano-units of one. */
const ONE = 1_000_000_000n;

/** The filter on resources. */
export const resourcesFit: FilterPlugin = {
  name: 'NodeResourcesFit',
  filter({ demand }, node) {
    const reasons: string[] = [];
    if (BigInt(node.podCount + 1) * ONE > node.allocatable('pods')) reasons.push('Too many pods');
    for (const [resource, nanos] of demand.requests)
      if (nanos > 0n && node.requested(resource) + nanos > node.allocatable(resource))
        reasons.push(`Insufficient ${resource}`);
    return reasons;
  },
};

/** The filter on host ports. */
export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  filter: ({ demand }, node) =>
    demand.ports.some((port) => node.hasPort(port))
      ? ["node(s) didn't have free ports for the requested pod ports"]
      : [],
};
