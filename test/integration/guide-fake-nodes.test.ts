// docs/guide/fake-nodes.md does what it says: its code, on a whole cluster.
import { afterAll, expect, it } from 'vitest';
import type { ContainerStatus } from '../../api/generated/types.ts';
import { guideFiles } from '../support/guide.ts';

const guide = guideFiles('docs/guide/fake-nodes.md');
afterAll(() => guide.remove());

it('has right types', async () => {
  expect(guide.names).toEqual(['crash.ts', 'load.ts']);
  expect(await guide.faults()).toBe('');
});

it('shows a container that is pulled, started, ready, crashed and started again', async () => {
  const { crashes } = await guide.load<{ crashes: () => Promise<ContainerStatus[]> }>('crash.ts');
  expect(await crashes()).toMatchObject([
    { state: { waiting: { reason: 'ContainerCreating' } }, ready: false },
    { state: { running: {} }, ready: false, restartCount: 0 },
    { state: { running: {} }, ready: true, restartCount: 0 },
    { state: { running: {} }, ready: true, restartCount: 1 },
    { state: { waiting: { reason: 'CrashLoopBackOff' } }, ready: false, restartCount: 1 },
  ]);
});

it('shows an autoscaler that follows a load', async () => {
  const { busyMinutes } = await guide.load<{ busyMinutes: () => Promise<number[]> }>('load.ts');
  expect(await busyMinutes()).toEqual([1, 8, 1]);
});
