// What pod workers share: the agent's doors and parts, and facts of the node.
import type { EventNote } from '../../client/events/recorder.ts';
import type { Pod, Service } from '../../api/generated/types.ts';
import type { Slots } from '../../base/slots.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { KubeletConfiguration } from '../configuration.ts';
import type { ExtendedResource } from '../extensions/node-extension.ts';
import type { NodeExtensions } from '../extensions/node-extensions.ts';
import type { NodeAgentOptions } from '../options.ts';
import type { Prober } from '../probes/prober.ts';
import type { ImagePuller } from '../pulling/image-puller.ts';
import type { AgentFigures } from '../stats/agent-figures.ts';
import type { ObjectSources } from '../volumes/object-sources.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { Verdict } from './pod-status.ts';
import type { StatusWriter } from './status-writer.ts';

/** What the node has for pods. */
export interface NodeFacts {
  /** What of it is for pods. */
  readonly allocatable: {
    readonly cpuMillis: number;
    readonly memoryBytes: number;
    readonly storageBytes: number;
  };
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  /** Bytes by resource (`hugepages-2Mi`); all of them are for pods. */
  readonly hugePages?: Readonly<Record<string, number>>;
  /** What extensions of the node have, as it is now; nothing unless given. */
  readonly extended?: () => Readonly<Record<string, ExtendedResource>>;
  readonly maxPods: number;
  /** How many processes one pod may have; undefined where the host does not say how many it has. */
  readonly podPidsLimit?: number | undefined;
}

/** The parts. */
export interface WorkerParts {
  readonly options: NodeAgentOptions;
  readonly configuration: KubeletConfiguration;
  readonly node: NodeFacts;
  readonly events: { event(about: Pod, note: EventNote): void };
  readonly statuses: StatusWriter;
  readonly prober: Prober;
  readonly figures: AgentFigures;
  readonly volumes: PodVolumes;
  readonly sources: ObjectSources;
  readonly services: Informer<Service>;
  readonly slots: Slots;
  readonly puller: ImagePuller;
  readonly extensions: NodeExtensions;
  /** Aborted when the agent ends. Containers go on. */
  readonly ending: AbortSignal;
  /**
   * Ends other pods for one that the node or the cluster lives by. Why that would not help; undefined when it is done, or not needed,
   * or when they take too long, or the pod is leaving itself: whether it fits then `admit` says.
   */
  makeRoom(pod: Pod, leaving: AbortSignal): Promise<Verdict | undefined>;
  /** Why the node cannot take the pod; undefined when it can. Asked once, before anything is made. */
  admit(pod: Pod): Verdict | undefined;
  /** A pod has come, or has changed. */
  taken(pod: Pod): void;
  /** The API's copy of a static pod has come, has changed, or has gone. */
  mirrored(mirror: Pod): void;
  /** A pod takes less room than before, or none: others may be waiting for that. */
  roomFreed(): void;
  /** The pod is over and nothing of it is left on the node. */
  gone(podUid: string): void;
}
