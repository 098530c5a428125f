// Tests of what is told last of containers that nobody knows the end of.
import { describe, expect, it } from 'vitest';
import type { ContainerStatus } from '../../api/generated/types.ts';
import { aContainer, aPod } from './fixtures/pod-scenes.ts';
import { lastStatuses } from './last-status.ts';

const base = { image: '', imageID: '', ready: false, restartCount: 0, lastState: {} };
const waiting = (name: string): ContainerStatus => ({
  ...base,
  name,
  state: { waiting: { reason: 'PodInitializing' } },
});
const done = (name: string, exitCode: number): ContainerStatus => ({
  ...base,
  name,
  state: { terminated: { exitCode } },
});
const shown = (statuses: readonly ContainerStatus[]) =>
  statuses.map(({ state }) => state?.terminated?.reason ?? state?.waiting?.reason ?? 'known');

describe('the last statuses of a pod', () => {
  const inits = [aContainer('a'), aContainer('b')];
  const spec = aPod({ initContainers: inits }).spec as never;

  it('say of containers that never began that they cannot be found, with code 137', () => {
    const { containers } = lastStatuses(aPod().spec as never, {
      inits: [],
      containers: [waiting('app')],
    });
    expect(containers[0]?.state?.terminated).toEqual({
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: 'The container could not be located when the pod was terminated',
    });
  });

  it('leave those waiting whose init containers were not through', () => {
    const told = lastStatuses(spec, {
      inits: [done('a', 0), waiting('b')],
      containers: [waiting('app')],
    });
    expect([shown(told.inits), shown(told.containers)]).toEqual([
      ['known', 'PodInitializing'],
      ['PodInitializing'],
    ]);
  });

  it('count the first init container as begun, and all before the last that was seen', () => {
    const first = lastStatuses(spec, { inits: [waiting('a'), waiting('b')], containers: [] });
    expect(shown(first.inits)).toEqual(['ContainerStatusUnknown', 'PodInitializing']);
    const later = lastStatuses(spec, { inits: [waiting('a'), done('b', 1)], containers: [] });
    expect(shown(later.inits)).toEqual(['ContainerStatusUnknown', 'known']);
  });

  it('take a pod for initialized once its last init container ended well, or its last sidecar was up', () => {
    const well = { inits: [done('a', 0), done('b', 0)], containers: [waiting('app')] };
    expect(shown(lastStatuses(spec, well).containers)).toEqual(['ContainerStatusUnknown']);
    const sidecar = aPod({ initContainers: [aContainer('s', { restartPolicy: 'Always' })] });
    const up = (started: boolean) => ({
      inits: [{ ...done('s', 137), started }],
      containers: [waiting('app')],
    });
    const of = (started: boolean) =>
      shown(lastStatuses(sidecar.spec as never, up(started)).containers);
    expect([of(true), of(false)]).toEqual([['ContainerStatusUnknown'], ['PodInitializing']]);
  });
});
