// Image volumes: whose images are brought for a container, and that they count as used whatever agent looks.
import { expect, it } from 'vitest';
import type { Container, Pod } from '../../api/generated/types.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { resolveConfiguration } from '../configuration.ts';
import type { NodeAgentOptions } from '../options.ts';
import type { ImageWanted } from '../pulling/image-puller.ts';
import { nodeImages } from '../pulling/node-images.ts';
import { notesInMemory } from '../pulling/pull-access.ts';
import type { ImageInfo } from '../runtime/runtime.ts';
import type { ObjectSources } from '../volumes/object-sources.ts';
import { bringImageVolumes, imagesShown, imageVolumesNote } from './image-volumes.ts';

const container = (...names: string[]): Container => ({
  name: 'main',
  image: 'app:1',
  volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })),
});
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web', uid: '1' },
  spec: {
    containers: [],
    volumes: [
      { name: 'model', image: { reference: 'models/small:1', pullPolicy: 'Never' } },
      { name: 'other', image: { reference: 'models/large:1' } },
      { name: 'data', emptyDir: {} },
    ],
  },
};
const { signal } = new AbortController();

it('brings those that the container mounts, by their own pull policy and with the pod’s secrets', async () => {
  const asked: ImageWanted[] = [];
  const puller = {
    ensure: async (wanted: ImageWanted) => {
      asked.push(wanted);
      return { id: `id of ${wanted.container.image}` } as ImageInfo;
    },
  };
  const found = await bringImageVolumes(puller, {
    pod,
    container: container('data', 'model'),
    signal,
  });
  expect([...found]).toEqual([['model', 'id of models/small:1']]);
  const model = { name: 'model', image: 'models/small:1', imagePullPolicy: 'Never' };
  expect(asked).toEqual([{ pod, container: model, signal }]);
});

it('are noted with the container, or not at all', () => {
  const images = new Map([
    ['a', 'sha256:1'],
    ['b', 'sha256:2'],
  ]);
  expect(imagesShown(imageVolumesNote(images))).toEqual(['sha256:1', 'sha256:2']);
  expect(imageVolumesNote(new Map())).toEqual({});
  expect(imagesShown({})).toEqual([]);
});

it('keep their images from being collected, also by an agent that did not bring them', async () => {
  const removed: string[] = [];
  const image = (id: string) => ({ id, names: [], repoDigests: [`${id}@d`], sizeBytes: 1 });
  const clock = new VirtualClock();
  const options = {
    clock,
    logger: silentLogger,
    nodeName: 'n1',
    host: { pullNotes: notesInMemory() },
    runtime: {
      listContainers: async () => [
        { imageId: 'app', annotations: imageVolumesNote(new Map([['v', 'model']])) },
      ],
    },
    images: {
      list: async () => ['app', 'model', 'unused'].map(image),
      remove: async (id: string) => removed.push(id) > 0,
      usage: async () => ({ capacityBytes: 100, availableBytes: 100 }),
    },
  } as unknown as NodeAgentOptions;
  const { collector } = nodeImages(options, {
    events: { event: () => undefined },
    sources: {} as ObjectSources,
    configuration: resolveConfiguration(),
  });
  await collector.reclaim();
  expect(removed).toEqual(['unused']);
});
