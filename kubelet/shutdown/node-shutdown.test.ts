// A node's shutdown on virtual time: who ends when, and what becomes of those who take too long.
import { expect, it } from 'vitest';
import type { Pod, PodSpec } from '../../api/generated/types.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { resolveConfiguration } from '../configuration.ts';
import { aPod } from '../pods/fixtures/pod-scenes.ts';
import { NodeShutdown } from './node-shutdown.ts';

const SECOND = 1000;
const named = (name: string, spec: Partial<PodSpec> = {}): Pod => {
  const pod = aPod(spec);
  return { ...pod, metadata: { ...pod.metadata, name, uid: name } };
};
const CRITICAL = { priority: 2_000_000_000 };

function aShutdown(pods: readonly Pod[], periods: { all: string; critical: string }) {
  const clock = new VirtualClock();
  const begin = clock.monotonic();
  const seen: [name: string, atSeconds: number, graceSeconds: number][] = [];
  const told: string[] = [];
  const ended: string[] = [];
  /** Those that take so long, in seconds. */
  const slow = new Map<string, number>();
  const shutdown = new NodeShutdown({
    clock,
    configuration: resolveConfiguration({
      shutdownGracePeriod: periods.all,
      shutdownGracePeriodCriticalPods: periods.critical,
    }),
    pods: () => pods,
    end: async (uid, verdict, graceMs) => {
      seen.push([uid, (clock.monotonic() - begin) / SECOND, graceMs / SECOND]);
      expect(verdict).toEqual({
        reason: 'Terminated',
        message: 'Pod was terminated in response to imminent node shutdown.',
        condition: 'TerminationByKubelet',
      });
      await clock.sleep((slow.get(uid) ?? 0) * SECOND);
      ended.push(uid);
    },
    tell: ({ reason }) => told.push(reason),
    onChange: () => told.push(`begun: ${shutdown.hasBegun}`),
  });
  return { clock, shutdown, seen, slow, told, ended };
}

it('ends those that the cluster lives by after all others, each within its part of the time', async () => {
  const pods = [
    named('vital', CRITICAL),
    named('web', { terminationGracePeriodSeconds: 60 }),
    named('quick', { terminationGracePeriodSeconds: 2 }),
  ];
  const { clock, shutdown, seen, slow, told } = aShutdown(pods, { all: '30s', critical: '10s' });
  slow.set('web', 5);
  const done = shutdown.run();
  await clock.advance(4 * SECOND);
  expect(seen).toEqual([
    ['web', 0, 20],
    ['quick', 0, 2],
  ]);
  await clock.advance(2 * SECOND);
  await done;
  expect(seen.at(-1)).toEqual(['vital', 5, 10]);
  expect(told).toEqual(['Shutdown', 'begun: true']);
  expect(clock.pendingTimers).toBe(0);
});

it('hears of pods that were killed as their period ended', async () => {
  const { clock, shutdown, slow, ended } = aShutdown([named('stubborn')], {
    all: '10s',
    critical: '4s',
  });
  slow.set('stubborn', 6.3);
  const heard = shutdown.run().then(() => [...ended]);
  await clock.advance(7 * SECOND);
  expect(await heard).toEqual(['stubborn']);
  expect(clock.pendingTimers).toBe(0);
});

it('is over soon after its time is, whatever pods do', async () => {
  const pods = [named('stuck'), named('vital', CRITICAL)];
  const { clock, shutdown, seen, slow } = aShutdown(pods, { all: '30s', critical: '10s' });
  slow.set('stuck', 600).set('vital', 600);
  let over = false;
  const done = shutdown.run().then(() => (over = true));
  await clock.advance(19 * SECOND);
  expect(seen).toEqual([['stuck', 0, 20]]);
  await clock.advance(SECOND);
  expect(seen.at(-1)).toEqual(['vital', 20, 10]);
  await clock.advance(11 * SECOND);
  expect(over).toBe(false);
  await clock.advance(SECOND);
  await done;
});

it('does nothing where no time is given for it', async () => {
  const { shutdown, seen } = aShutdown([named('web')], { all: '0s', critical: '0s' });
  await shutdown.run();
  expect([seen, shutdown.hasBegun]).toEqual([[], false]);
});
