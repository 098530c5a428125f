// What a pod says while its image is missing: an error when it was looked for, a back-off in between. Pure.
// Rule and texts as upstream: ErrImagePull and ImagePullBackOff alternate, 10 s doubling to 5 min. Looking itself is cheap and local,
// so the image is used within seconds of being loaded, whatever is said meanwhile.
import { backoffDelay } from '../../base/backoff.ts';
import type { Container } from '../../api/generated/types.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import type { StartProblem } from './container-status.ts';
import { failedNote } from './start-failure.ts';

const BACKOFF = { initialMs: 10_000, maxMs: 300_000 };
/** How soon a missing image is looked for again. */
export const LOOK_FOR_IMAGE_MS = 2_000;

/** Where the wait for an image stands. */
export interface ImageWait {
  readonly failures: number;
  readonly sayErrorAtMs: number;
  readonly problem: StartProblem;
  /** Events of this step; none when the last step was alike. */
  readonly notes: readonly EventNote[];
}

/** The wait after the image was looked for once more and not found. */
export function stepImageWait(
  wait: ImageWait | undefined,
  container: Pick<Container, 'image' | 'imagePullPolicy'>,
  nowMs: number,
): ImageWait {
  const image = container.image ?? '';
  if (container.imagePullPolicy === 'Never') return neverPulled(image, wait, nowMs);
  const why = missingImage(image);
  if (wait && nowMs < wait.sayErrorAtMs) {
    const backOff = `Back-off pulling image "${image}"`;
    const problem = { reason: 'ImagePullBackOff', message: `${backOff}: ErrImagePull: ${why}` };
    const said = wait.problem.reason === problem.reason;
    const note: EventNote = { type: 'Normal', reason: 'BackOff', message: backOff };
    return { ...wait, problem, notes: said ? [] : [note, failedNote(problem.reason)] };
  }
  const failures = (wait?.failures ?? 0) + 1;
  const problem = { reason: 'ErrImagePull', message: why };
  return {
    failures,
    sayErrorAtMs: nowMs + backoffDelay(failures - 1, BACKOFF),
    problem,
    notes: [
      { type: 'Normal', reason: 'Pulling', message: `Pulling image "${image}"` },
      { type: 'Warning', reason: 'Failed', message: `Failed to pull image "${image}": ${why}` },
      failedNote(problem.reason),
    ],
  };
}

function neverPulled(image: string, wait: ImageWait | undefined, nowMs: number): ImageWait {
  const message = `Container image "${image}" is not present with pull policy of Never`;
  const problem = { reason: 'ErrImageNeverPull', message };
  const notes: EventNote[] = [{ type: 'Warning', ...problem }, failedNote(problem.reason)];
  const said = wait?.problem.reason === problem.reason;
  return { failures: 0, sayErrorAtMs: nowMs, problem, notes: said ? [] : notes };
}

function missingImage(image: string): string {
  return (
    `image "${image}" is not on this node, and no registry is configured to pull it from; ` +
    'load it with `npx pinnace image load FILE`'
  );
}
