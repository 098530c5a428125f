// What a node agent is made from. One object, resolved once.
// Invariant: every limit of the agent has its name and default here.
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Random } from '../base/random.ts';
import type { InformerFactory } from '../client/informer/informer.ts';
import type { Client } from '../client/rest/client.ts';
import type { System } from '../system/system.ts';
import type { PodNetwork } from './pod-network.ts';
import type { ContainerRuntime, ImageStore } from './runtime/runtime.ts';

/** Where the agent's own server listens, and whom it lets in. */
export interface NodeServerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  /** Common names of client certificates that may ask for logs and exec. */
  readonly allowedClientCommonNames: readonly string[];
}

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
  readonly system: System;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Pods' volumes and logs lie below it. */
  readonly dataDir: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly podCidr: string;
  /** Left out where nothing is to listen (fake nodes). */
  readonly server?: NodeServerOptions;
  readonly labels?: Readonly<Record<string, string>>;
  /** 110 unless given, as upstream. */
  readonly maxPods?: number;
  /** What is not for pods: millicores and bytes. 100m and 256 MiB unless given. */
  readonly reserved?: { readonly cpuMillis: number; readonly memoryBytes: number };
}

/** Pods that are being started at once: more gains nothing on two cores. */
export const MAX_PARALLEL_STARTS = 4;
/** Safety net: how often all of a pod's containers are looked at without an event. */
export const RELIST_MS = 10_000;
