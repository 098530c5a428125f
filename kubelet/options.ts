// What a node agent is made from. One object, resolved once.
// Invariant: every limit of the agent has its name and default here.
import type { Taint } from '../api/generated/types.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { InformerFactory } from '../client/informer/informer.ts';
import type { Client } from '../client/rest/client.ts';
import type { KubeletConfiguration } from './configuration.ts';
import type { NodeExtension } from './extensions/node-extension.ts';
import type { NodeHost } from './host/node-host.ts';
import type { PodNetwork } from './pod-network.ts';
import type { ContainerRuntime, ImageStore } from './runtime/runtime.ts';
import type { AgentFigures } from './stats/agent-figures.ts';
import type { ServeNode } from './server/node-requests.ts';

/** Default of heartbeatMs, as upstream's. */
export const HEARTBEAT_MS = 10_000;

/** What the agent needs. */
export interface NodeAgentOptions {
  readonly client: Client;
  /** Informers of the whole program; started by whoever made them. */
  readonly informers: InformerFactory;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly runtime: ContainerRuntime;
  readonly images: ImageStore;
  readonly network: PodNetwork;
  readonly host: NodeHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly podCidr: string;
  /** How the API server asks it for logs and commands; left out where nobody may. */
  readonly serve?: ServeNode;
  /** Where it counts its work, shared with whoever counts its client's requests; its own unless given. */
  readonly figures?: AgentFigures;
  readonly labels?: Readonly<Record<string, string>>;
  /** How the node is run; upstream's defaults unless given. */
  readonly configuration?: Partial<KubeletConfiguration>;
  /** What the program adds to the node: devices, places by topology; nothing unless given. */
  readonly extensions?: readonly NodeExtension[];
  /** Taints that a Node is registered with; those of one that is there already stay as they are. */
  readonly taints?: readonly Taint[];
  /** How often figures are taken and sent; each second unless given. */
  readonly figuresPeriodMs?: number;
  /**
   * How often the node's Lease is renewed, and its facts and the sizes of its logs are looked at; HEARTBEAT_MS unless given. The Lease
   * lasts for four of them, and what watches over nodes must be as patient.
   */
  readonly heartbeatMs?: number;
  /** How often the runtime is asked for what no event told; RELIST_MS unless given. Longer where the runtime loses none. */
  readonly relistMs?: number;
}

/** Pods that are being started at once: more gains nothing on two cores. */
export const MAX_PARALLEL_STARTS = 4;
/** Safety net: how often is listed what the runtime has, for ends that no event told. */
export const RELIST_MS = 10_000;
