// What an image's names say: how a container's status names the one that it was made from, and whose a name is. Pure.
import { normalizeImageName, parseImageName } from '../images/image-name.ts';
import type { ImageInfo } from '../runtime/runtime.ts';

/** Annotation of a container: what its status shows as imageID. */
export const IMAGE_REF = 'pinnace.dev/image-ref';

/** The image's name with digest, that of the asked repository first; its id where no registry has it, as upstream's runtimes tell it. */
export function imageRefOf(image: ImageInfo, asked: string): string {
  const repository = parseImageName(asked)?.repository;
  const own = image.repoDigests.find((each) => repositoryOf(each) === repository);
  return own ?? image.repoDigests[0] ?? image.id;
}

/** Was the image given this name by hand (loaded, built)? No registry's digest of the name's repository is known of it then. */
export function isNamedByHand(image: ImageInfo, name: string): boolean {
  const normal = normalizeImageName(name);
  const repository = parseImageName(name)?.repository;
  return (
    image.names.some((each) => normalizeImageName(each) === normal) &&
    !image.repoDigests.some((each) => parseImageName(repositoryOf(each))?.repository === repository)
  );
}

const repositoryOf = (digest: string): string => digest.split('@')[0] ?? '';
