// Pods on disk: what is written anew, and what is passed over when it is read.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { DiskCheckpoints } from './pod-checkpoints.ts';

let folder: string;
let checkpoints: DiskCheckpoints;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-checkpoints-'));
  checkpoints = new DiskCheckpoints(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const aPod = (resourceVersion: string, rest: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web', uid: 'uid-1', resourceVersion },
  spec: { containers: [{ name: 'app', image: 'app:1' }] },
  ...rest,
});
/** Grows with each time that the pod is written. */
const size = () => statSync(join(folder, 'uid-1.json')).size;

it('keeps which containers were ready: an agent that starts while the API server is away would call them unready', () => {
  const name = { name: 'app', image: 'app:1', imageID: '', restartCount: 0 };
  const statusOf = (ready: boolean) => ({
    phase: 'Running',
    containerStatuses: [{ ...name, containerID: 'pinnace://1', ready, started: true }],
  });
  checkpoints.save(aPod('1', { status: { phase: 'Pending' } }));
  const first = size();
  checkpoints.save(aPod('2', { status: statusOf(false) }));
  expect(size()).toBe(first);
  checkpoints.save(aPod('3', { status: statusOf(true) }));
  expect(checkpoints.load()).toMatchObject([{ status: statusOf(true) }]);
  checkpoints.save(aPod('4', { status: statusOf(false) }));
  expect(checkpoints.load()).toMatchObject([{ status: statusOf(false) }]);
});

it('writes a pod anew when it changes, and not for news of its containers', () => {
  const startTime = '2026-01-01T00:00:00Z';
  checkpoints.save(aPod('1', { status: { startTime, phase: 'Pending' } }));
  const first = size();
  const conditions = [{ type: 'Initialized', status: 'True' }];
  checkpoints.save(aPod('2', { status: { startTime, phase: 'Pending', conditions } }));
  expect(size()).toBe(first);
  checkpoints.save(aPod('3', { status: { startTime, phase: 'Succeeded', conditions } }));
  expect(checkpoints.load()).toMatchObject([{ status: { phase: 'Succeeded' } }]);
  checkpoints.save(aPod('4', { spec: { containers: [{ name: 'app', image: 'app:2' }] } }));
  expect(checkpoints.load()).toMatchObject([{ spec: { containers: [{ image: 'app:2' }] } }]);
});

it.each(['', '{"metadata":{"uid":"uid-2"', '[]', 'null', '{"metadata":{"uid":"uid-9"},"spec":{}}'])(
  'passes over a torn or foreign file: %s',
  (text) => {
    checkpoints.save(aPod('1'));
    writeFileSync(join(folder, 'uid-2.json'), text);
    writeFileSync(join(folder, 'uid-1.json.new'), text);
    expect(checkpoints.load()).toHaveLength(1);
    checkpoints.tidy((uid) => uid === 'uid-1');
    expect(readdirSync(folder)).toEqual(['uid-1.json']);
  },
);
