// How a container's status names the image that it was made from: by the registry's digest where one is known. Pure.
import { parseImageName } from '../images/image-name.ts';
import type { ImageInfo } from '../runtime/runtime.ts';

/** Annotation of a container: what its status shows as imageID. */
export const IMAGE_REF = 'pinnace.dev/image-ref';

/** The image's name with digest, that of the asked repository first; its id where no registry has it, as upstream's runtimes tell it. */
export function imageRefOf(image: ImageInfo, asked: string): string {
  const repository = parseImageName(asked)?.repository;
  const own = image.repoDigests.find((each) => each.split('@')[0] === repository);
  return own ?? image.repoDigests[0] ?? image.id;
}
