// Tests of what a pod says while its image is missing.
import { expect, it } from 'vitest';
import { type ImageWait, stepImageWait } from './image-wait.ts';

it('error and back-off take turns, each back-off longer, while looking goes on', () => {
  const container = { image: 'shop/none:1' };
  let wait: ImageWait | undefined;
  const errors: number[] = [];
  for (let second = 0; second <= 100; second += 2) {
    wait = stepImageWait(wait, container, second * 1000);
    if (wait.problem.reason === 'ErrImagePull') errors.push(second);
    else expect(wait.problem.reason).toBe('ImagePullBackOff');
  }
  expect(errors).toEqual([0, 10, 30, 70]);
  expect(wait?.problem.message).toContain('Back-off pulling image "shop/none:1"');
});

it('an image that must not be pulled gives one error of its own', () => {
  const container = { image: 'a:1', imagePullPolicy: 'Never' };
  const wait = stepImageWait(undefined, container, 0);
  expect(stepImageWait(wait, container, 1).problem).toEqual({
    reason: 'ErrImageNeverPull',
    message: 'Container image "a:1" is not present with pull policy of Never',
  });
});
