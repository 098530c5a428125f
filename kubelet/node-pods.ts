// The pods of one node and everything that looks after them: workers, images, evictions. Made by the agent.
// Invariant: a part is made once, here, and knows the others only by what it is handed.
import { Pods, Services } from '../api/kinds.ts';
import { keyOf } from '../api/meta/object.ts';
import { Slots } from '../base/slots.ts';
import { PodAdmission } from './admission/pod-admission.ts';
import type { ClientEventRecorder } from '../client/events/recorder.ts';
import type { KubeletConfiguration } from './configuration.ts';
import { isStaticPod } from './eviction/critical-pods.ts';
import { EvictionManager } from './eviction/eviction-manager.ts';
import type { NodeExtensions } from './extensions/node-extensions.ts';
import type { HostFacts } from './node/host-facts.ts';
import { nodeRef } from './node/node-ref.ts';
import { MAX_PARALLEL_STARTS, type NodeAgentOptions } from './options.ts';
import { PodManager } from './pods/pod-manager.ts';
import { StatusWriter } from './pods/status-writer.ts';
import type { NodeFacts, WorkerParts } from './pods/worker-parts.ts';
import { Prober } from './probes/prober.ts';
import type { ImageCollector } from './pulling/image-collector.ts';
import { nodeImages } from './pulling/node-images.ts';
import type { AgentFigures } from './stats/agent-figures.ts';
import { NodeShutdown } from './shutdown/node-shutdown.ts';
import { type NodeStaticPods, nodeStaticPods } from './static-pods/node-static-pods.ts';
import { Claims, type ClaimsOptions } from './volumes/claims.ts';
import { ObjectSources } from './volumes/object-sources.ts';
import { PodTokens } from './volumes/pod-tokens.ts';
import { PodVolumes } from './volumes/pod-volumes.ts';

/** What they rest on besides the agent's options. */
export interface NodePodsContext {
  readonly configuration: KubeletConfiguration;
  readonly host: HostFacts;
  readonly node: NodeFacts;
  readonly events: ClientEventRecorder;
  readonly figures: AgentFigures;
  readonly extensions: NodeExtensions;
  /** Aborted when the agent ends. */
  readonly ending: AbortSignal;
  /** What the node tells of itself may be another thing now. */
  readonly onChange: () => void;
}

/** The parts. */
export interface NodePods extends NodeStaticPods {
  readonly manager: PodManager;
  readonly statuses: StatusWriter;
  readonly collector: ImageCollector;
  readonly evictions: EvictionManager;
  readonly shutdown: NodeShutdown;
}

/** Makes the parts; nothing happens before they are run. */
export function makeNodePods(options: NodeAgentOptions, context: NodePodsContext): NodePods {
  const { informers, nodeName } = options;
  const { configuration, events, figures } = context;
  const pods = informers.informer(Pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  const statuses = new StatusWriter({
    ...options,
    targetOf: (pod) => (isStaticPod(pod) ? mirrors.of(pod) : pod),
    onWritten: (pod) => {
      pods.observeWrite(pod);
      figures.podTold(pod);
    },
  });
  const sources = new ObjectSources(options);
  const prober = new Prober({ ...options, door: options.host.probes });
  const onEnd = () => {
    sources.close();
    prober.close();
  };
  context.ending.addEventListener('abort', onEnd, { once: true });
  const volumes = makeVolumes(options, sources, {
    node: () => ({ name: nodeName, labels: admission.nodeLabels }),
    pods: () => manager.list(),
  });
  const { puller, collector } = nodeImages(options, {
    ...context,
    sources,
    onPulled: (sizeBytes, ms) => figures.pulled(sizeBytes, ms),
  });
  const parts: WorkerParts = {
    options,
    configuration,
    node: context.node,
    events,
    statuses,
    prober,
    figures,
    volumes,
    sources,
    services: informers.informer(Services),
    slots: new Slots(MAX_PARALLEL_STARTS),
    puller,
    extensions: context.extensions,
    ending: context.ending,
    makeRoom: (pod, leaving) => admission.makeRoom(pod, leaving),
    admit: (pod) => admission.refusal(pod) ?? context.extensions.admit(pod),
    taken: (pod) => {
      evictions.taken(pod);
      figures.podSeen(pod);
    },
    mirrored: (mirror) => mirrors.look(keyOf(mirror)),
    roomFreed: () => manager.roomFreed(),
    gone: (uid) => {
      puller.forget(uid);
      figures.podGone(uid);
      manager.forget(uid);
      staticPods.gone(uid);
    },
  };
  const manager = new PodManager(parts, pods);
  const admission = new PodAdmission(options, {
    ...context,
    manager,
    pressures: () => evictions.pressures,
    isShuttingDown: () => shutdown.hasBegun,
  });
  const evictions = makeEvictions(options, context, { manager, collector });
  const shutdown = makeShutdown(options, context, { manager, statuses });
  const { staticPods, mirrors } = nodeStaticPods(options, { ...context, manager, statuses });
  return { manager, statuses, collector, evictions, shutdown, staticPods, mirrors };
}

function makeVolumes(
  options: NodeAgentOptions,
  sources: ObjectSources,
  about: Pick<ClaimsOptions, 'node' | 'pods'>,
): PodVolumes {
  const tokens = new PodTokens(options);
  const claims = new Claims({ ...about, sources });
  return new PodVolumes({ files: options.host.volumes, sources, tokens, claims });
}

function makeEvictions(
  options: NodeAgentOptions,
  { configuration, events, figures, onChange }: NodePodsContext,
  { manager, collector }: Pick<NodePods, 'manager' | 'collector'>,
): EvictionManager {
  return new EvictionManager({
    ...options,
    configuration,
    figures: { ...options, usage: options.host.usage },
    reclaim: {
      deleteUnusedImages: async () => {
        await collector.reclaim();
      },
    },
    pods: () => manager.active(),
    end: (podUid, verdict, graceMs) => manager.end(podUid, verdict, graceMs),
    tell: (about, note) => events.event(about === 'node' ? nodeRef(options.nodeName) : about, note),
    onChange,
    onEvicted: (signal) => figures.evicted(signal),
  });
}

function makeShutdown(
  { clock, nodeName }: NodeAgentOptions,
  { configuration, events, onChange }: NodePodsContext,
  { manager, statuses }: Pick<NodePods, 'manager' | 'statuses'>,
): NodeShutdown {
  return new NodeShutdown({
    clock,
    configuration,
    pods: () => manager.active(),
    end: async (podUid, verdict, graceMs) => {
      await manager.end(podUid, verdict, graceMs);
      await statuses.flush(podUid);
    },
    tell: (note) => events.event(nodeRef(nodeName), note),
    onChange,
  });
}
