// What a fake node can be told, and what is meant where nothing is said.
// Invariant: a node's addresses come from its number, so that no two nodes of a cluster share one.
import { invariant } from '../../base/invariant.ts';
import type { Taint } from '../../api/generated/types.ts';
import { parseQuantity, toMilli, toWhole } from '../../api/meta/quantity.ts';
import { type KubeletConfiguration, resolveConfiguration } from '../../kubelet/configuration.ts';
import type { HostFacts } from '../../kubelet/node/host-facts.ts';
import type { LivesOf } from './pod-life.ts';

/** How a fake node is made. */
export interface FakeNodeOptions {
  /** `node-1` and so on unless given. */
  readonly name?: string;
  /** Quantities; 8 processors, 32Gi, 100Gi and 110 pods unless given. At most 250 pods. */
  readonly capacity?: {
    readonly cpu?: string;
    readonly memory?: string;
    readonly storage?: string;
    readonly pods?: number;
  };
  readonly labels?: Readonly<Record<string, string>>;
  /** Those that it is registered with; the API server adds the one of nodes that are not ready yet. */
  readonly taints?: readonly Taint[];
  /** What its containers do; what the cluster's containers do unless given. */
  readonly lives?: LivesOf;
  /** `known`: images that no table of lives names cannot be pulled, and their pods say so; `all` unless given. */
  readonly images?: 'all' | 'known';
  /** How often it sends figures of processor and memory; each 15 seconds unless given. */
  readonly figuresPeriodMs?: number;
  /**
   * How often it renews its Lease, and looks at its own state and logs; each 10 seconds unless given. Most of what an idle node costs. The
   * node-lifecycle-controller takes a node for lost that has said nothing for 40 seconds, unless it is told to be more patient.
   */
  readonly heartbeatMs?: number;
  /**
   * How its agent runs the node, by the names of KubeletConfiguration. Unless it says otherwise all of the capacity is for pods, and none is
   * ever evicted. `capacity.pods` goes before maxPods.
   */
  readonly configuration?: Partial<KubeletConfiguration>;
}

/** Default of figuresPeriodMs: as often as upstream's metrics server asks, where a real node tells each second. */
const FIGURES_PERIOD_MS = 15_000;
const HEARTBEAT_MS = 10_000;
const MAX_PODS = 250;
const MAX_NODES = 128 * 256;

/** The options of one node, resolved. */
export interface ResolvedNode extends Required<Omit<FakeNodeOptions, 'capacity' | 'lives'>> {
  readonly lives: LivesOf | undefined;
  readonly ip: string;
  readonly podCidr: string;
  readonly facts: HostFacts;
}

/** Resolves the options of the cluster's `number`th node, counted from 1. Throws an Error for what cannot be. */
export function resolveNode(options: FakeNodeOptions, number: number): ResolvedNode {
  const { capacity = {}, name = `node-${number}` } = options;
  const { cpu = '8', memory = '32Gi', storage = '100Gi' } = capacity;
  const { maxPods: pods } = resolveConfiguration({
    ...options.configuration,
    ...(capacity.pods !== undefined && { maxPods: capacity.pods }),
  });
  invariant(number < MAX_NODES, 'there are addresses for a cluster of fake nodes');
  if (pods > MAX_PODS)
    throw new Error(`a fake node has addresses for ${MAX_PODS} pods at most, not for ${pods}`);
  const [high, low] = [number >> 8, number & 255];
  return {
    name,
    labels: options.labels ?? {},
    taints: options.taints ?? [],
    lives: options.lives,
    images: options.images ?? 'all',
    figuresPeriodMs: options.figuresPeriodMs ?? FIGURES_PERIOD_MS,
    heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
    ip: `172.${16 + (high >> 4)}.${((high & 15) << 4) | (low >> 4)}.${(low & 15) + 1}`,
    podCidr: `10.${128 + high}.${low}.0/24`,
    configuration: { evictionHard: {}, ...options.configuration, maxPods: pods },
    facts: {
      cpus: toMilli(parseQuantity(cpu)) / 1000,
      memoryBytes: toWhole(parseQuantity(memory)),
      storageBytes: toWhole(parseQuantity(storage)),
      // Containers are played: nothing is kept from them, by whatever profile.
      hasAppArmor: true,
      architecture: 'amd64',
      kernelVersion: 'fake',
      osImage: 'Fake Linux',
      machineId: name,
      bootId: name,
      systemUuid: name,
    },
  };
}
