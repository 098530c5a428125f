// What a pod says while its image is missing: an error when it was looked for, a back-off in between. Pure.
// Rule as upstream: ErrImagePull and ImagePullBackOff alternate, 10 s doubling to 5 min. Looking itself is cheap and local,
// so the image is used within seconds of being loaded, whatever is said meanwhile.
import { backoffDelay } from '../../base/backoff.ts';
import type { Container } from '../../api/generated/types.ts';
import type { StartProblem } from './container-status.ts';

const BACKOFF = { initialMs: 10_000, maxMs: 300_000 };
/** How soon a missing image is looked for again. */
export const LOOK_FOR_IMAGE_MS = 2_000;

/** Where the wait for an image stands. */
export interface ImageWait {
  readonly failures: number;
  readonly sayErrorAtMs: number;
  readonly problem: StartProblem;
}

/** The wait after the image was looked for once more and not found. */
export function stepImageWait(
  wait: ImageWait | undefined,
  container: Pick<Container, 'image' | 'imagePullPolicy'>,
  nowMs: number,
): ImageWait {
  const image = container.image ?? '';
  if (container.imagePullPolicy === 'Never') {
    const message = `Container image "${image}" is not present with pull policy of Never`;
    return { failures: 0, sayErrorAtMs: nowMs, problem: { reason: 'ErrImageNeverPull', message } };
  }
  if (wait && nowMs < wait.sayErrorAtMs) {
    const message = `Back-off pulling image "${image}": ${missingImage(image)}`;
    return { ...wait, problem: { reason: 'ImagePullBackOff', message } };
  }
  const failures = (wait?.failures ?? 0) + 1;
  return {
    failures,
    sayErrorAtMs: nowMs + backoffDelay(failures - 1, BACKOFF),
    problem: { reason: 'ErrImagePull', message: missingImage(image) },
  };
}

function missingImage(image: string): string {
  return (
    `image "${image}" is not on this node, and no registry is configured to pull it from; ` +
    'load it with `pinnace image load FILE`'
  );
}
