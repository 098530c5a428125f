// The static pods of one node and the API's copies of them, put together.
// Invariant: each knows of the other only what it asks for.
import type { Node } from '../../api/generated/types.ts';
import { Nodes, Pods } from '../../api/kinds.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import type { KubeletConfiguration } from '../configuration.ts';
import { nodeRef } from '../node/node-ref.ts';
import type { NodeAgentOptions } from '../options.ts';
import type { PodManager } from '../pods/pod-manager.ts';
import type { StatusWriter } from '../pods/status-writer.ts';
import { MirrorPods } from './mirror-pods.ts';
import { StaticPods } from './static-pods.ts';

/** What they rest on besides the agent's options. */
export interface NodeStaticPodsParts {
  readonly configuration: KubeletConfiguration;
  readonly events: { event(about: Node, note: EventNote): void };
  readonly manager: PodManager;
  readonly statuses: StatusWriter;
}

/** Both. */
export interface NodeStaticPods {
  readonly staticPods: StaticPods;
  readonly mirrors: MirrorPods;
}

/** Makes both; nothing happens before they are run. */
export function nodeStaticPods(
  options: NodeAgentOptions,
  { configuration, events, manager, statuses }: NodeStaticPodsParts,
): NodeStaticPods {
  const { informers, nodeName, host } = options;
  const tellAs = (reason: string) => (message: string) =>
    events.event(nodeRef(nodeName), { type: 'Warning', reason, message });
  const staticPods = new StaticPods({
    ...options,
    directory: configuration.staticPodPath,
    files: host.manifests,
    take: (pod) => manager.takeStatic(pod),
    drop: (podUid) => manager.dropStatic(podUid),
    tellProblem: tellAs('FailedStaticPod'),
    onChange: (key) => mirrors.look(key),
  });
  const mirrors = new MirrorPods({
    ...options,
    pods: informers.informer(Pods, { fieldSelector: `spec.nodeName=${nodeName}` }),
    nodes: informers.informer(Nodes, { fieldSelector: `metadata.name=${nodeName}` }),
    staticPod: (key) => staticPods.find(key),
    onMirror: (podUid) => statuses.retarget(podUid),
    tellProblem: tellAs('FailedMirrorPod'),
  });
  return { staticPods, mirrors };
}
