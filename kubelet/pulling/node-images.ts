// The images of one node as its agent has them: who brings them and who removes them, over one store.
// Invariant: both go by the same notes of who may use what.
import type { EventNote } from '../../client/events/recorder.ts';
import type { Node, Pod } from '../../api/generated/types.ts';
import type { KubeletConfiguration } from '../configuration.ts';
import { nodeRef } from '../node/node-ref.ts';
import type { NodeAgentOptions } from '../options.ts';
import { imagesShown } from '../pods/image-volumes.ts';
import type { ObjectSources } from '../volumes/object-sources.ts';
import { ImageCollector } from './image-collector.ts';
import { ImagePuller, type PullerParts } from './image-puller.ts';
import { PullAccess } from './pull-access.ts';
import { PullSecrets } from './pull-secrets.ts';

/** What they rest on besides the agent's options. */
export interface NodeImagesParts {
  readonly events: { event(about: Pod | Node, note: EventNote): void };
  readonly sources: ObjectSources;
  readonly configuration: KubeletConfiguration;
  readonly onPulled?: PullerParts['onPulled'];
}

/** Who brings images and who removes them. */
export interface NodeImages {
  readonly puller: ImagePuller;
  readonly collector: ImageCollector;
}

/** Makes both. */
export function nodeImages(options: NodeAgentOptions, parts: NodeImagesParts): NodeImages {
  const { events, sources, configuration } = parts;
  const access = new PullAccess(options.host.pullNotes);
  const puller = new ImagePuller({
    ...options,
    ...parts,
    secrets: new PullSecrets({ sources, events }),
    access,
  });
  const collector = new ImageCollector({
    ...options,
    configuration,
    inUse: async () => {
      const containers = await options.runtime.listContainers();
      const used = containers.flatMap((each) => [each.imageId, ...imagesShown(each.annotations)]);
      return new Set([...used, ...puller.held()]);
    },
    tell: (note) => events.event(nodeRef(options.nodeName), note),
    onRemoved: (left) => access.keepOnly(left),
  });
  return { puller, collector };
}
