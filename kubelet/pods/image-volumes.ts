// Image volumes of a container: the images that its mounts show, brought as those that containers are made from (KEP-4639).
// Invariant: a container that shows an image notes it, so that the image is known to be in use by whatever agent comes next.
import type { Container, Pod } from '../../api/generated/types.ts';
import type { ImagePuller } from '../pulling/image-puller.ts';

/** Ids of the images that a container's volumes show, in its annotations. */
const IMAGE_VOLUMES = 'imageVolumes';

/** Image ids by the name of the volume. Throws StartFailure, as the container's own image would. */
export async function bringImageVolumes(
  puller: Pick<ImagePuller, 'ensure'>,
  wanted: { readonly pod: Pod; readonly container: Container; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, string>> {
  const { pod, container, signal } = wanted;
  const mounted = new Set((container.volumeMounts ?? []).map(({ name }) => name));
  const found = new Map<string, string>();
  for (const { name, image } of pod.spec?.volumes ?? []) {
    if (!image || !mounted.has(name)) continue;
    const source = { name, image: image.reference, imagePullPolicy: image.pullPolicy };
    found.set(name, (await puller.ensure({ pod, container: source, signal })).id);
  }
  return found;
}

/** What is noted with a container of them. */
export function imageVolumesNote(
  images: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  return images.size === 0 ? {} : { [IMAGE_VOLUMES]: [...images.values()].join(' ') };
}

/** Ids of the images that a container's volumes show. */
export function imagesShown(annotations: Readonly<Record<string, string>>): readonly string[] {
  return annotations[IMAGE_VOLUMES]?.split(' ') ?? [];
}
