// A queue's figures under upstream's names: each step moves its own, by the right amount.
import { expect, it } from 'vitest';
import { Figures } from '../../base/figures.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { QueueFigures } from './queue-figures.ts';
import { RateLimitedQueue } from './rate-limited.ts';

it('shows depth, adds, retries, waits and work', async () => {
  const clock = new VirtualClock();
  const figures = new Figures();
  const shown = new QueueFigures(figures);
  const queue = new RateLimitedQueue({ clock, observer: shown.observer('jobs') });
  shown.follow('jobs', queue);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await clock.advance(2000);
  expect([await queue.take(), await queue.take()]).toEqual(['a', 'b']);
  await clock.advance(500);
  queue.finish('a');
  queue.addRateLimited('a');
  await clock.advance(3);
  const lines = (await figures.text()).split('\n');
  for (const line of [
    'workqueue_depth{name="jobs"} 1',
    'workqueue_adds_total{name="jobs"} 3',
    'workqueue_retries_total{name="jobs"} 1',
    'workqueue_queue_duration_seconds_sum{name="jobs"} 4',
    'workqueue_queue_duration_seconds_bucket{le="1",name="jobs"} 0',
    'workqueue_queue_duration_seconds_bucket{le="10",name="jobs"} 2',
    'workqueue_work_duration_seconds_sum{name="jobs"} 0.5',
    'workqueue_work_duration_seconds_count{name="jobs"} 1',
    'workqueue_unfinished_work_seconds{name="jobs"} 0.503',
    'workqueue_longest_running_processor_seconds{name="jobs"} 0.503',
  ])
    expect(
      lines.map((each) => each.replace(/\{name="jobs",le="(\w+)"\}/, '{le="$1",name="jobs"}')),
    ).toContain(line);
});
