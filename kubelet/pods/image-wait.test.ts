// Tests of what a pod says while its image is missing.
import { expect, it } from 'vitest';
import { type ImageWait, stepImageWait } from './image-wait.ts';

it('error and back-off take turns, each back-off longer, while looking goes on', () => {
  const container = { image: 'shop/none:1' };
  let wait: ImageWait | undefined;
  const errors: number[] = [];
  const told: string[] = [];
  for (let second = 0; second <= 100; second += 2) {
    wait = stepImageWait(wait, container, second * 1000);
    told.push(...wait.notes.map(({ type, reason }) => `${type} ${reason}`));
    if (wait.problem.reason === 'ErrImagePull') errors.push(second);
    else expect(wait.problem.reason).toBe('ImagePullBackOff');
  }
  expect(errors).toEqual([0, 10, 30, 70]);
  expect(wait?.problem.message).toMatch(
    /^Back-off pulling image "shop\/none:1": ErrImagePull: image "shop\/none:1" is not on this node/,
  );
  const round = [
    'Normal Pulling',
    'Warning Failed',
    'Warning Failed',
    'Normal BackOff',
    'Warning Failed',
  ];
  expect(told).toEqual([...round, ...round, ...round, ...round]);
});

it('an image that must not be pulled gives one error of its own', () => {
  const container = { image: 'a:1', imagePullPolicy: 'Never' };
  const wait = stepImageWait(undefined, container, 0);
  const message = 'Container image "a:1" is not present with pull policy of Never';
  expect(wait.notes).toEqual([
    { type: 'Warning', reason: 'ErrImageNeverPull', message },
    { type: 'Warning', reason: 'Failed', message: 'Error: ErrImageNeverPull' },
  ]);
  const again = stepImageWait(wait, container, 1);
  expect(again.problem).toEqual({ reason: 'ErrImageNeverPull', message });
  expect(again.notes).toEqual([]);
});
