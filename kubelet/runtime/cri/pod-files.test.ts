// Tests of which ends are remembered, and that nothing but the memory is lost where they cannot be.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLinuxSystem } from '../../../system/linux.ts';
import { PodFiles } from './pod-files.ts';

const system = createLinuxSystem();
const key = { podUid: 'one', name: 'app', attempt: 0 };
let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'pinnace-pod-files-')), 'pods');
});
afterEach(() => {
  system.unmount(root);
  rmSync(join(root, '..'), { recursive: true, force: true });
});

it('remembers an end until its container is forgotten', () => {
  const files = new PodFiles(root);
  files.makeTerminationLog(key);
  files.noteEnd(key);
  expect(new PodFiles(root).isEndNoted(key)).toBe(true);
  files.forgetContainer(key);
  expect(files.isEndNoted(key)).toBe(false);
});

it('makes nothing for a pod that has gone', () => {
  const files = new PodFiles(root);
  files.noteEnd(key);
  expect(files.pods()).toEqual([]);
});

it('says nothing of an end that a full disk does not take', () => {
  const files = new PodFiles(root);
  // Room for the root, the pod's folder and the log.
  system.mount({ source: 'tmpfs', target: root, type: 'tmpfs', data: 'nr_inodes=3' });
  files.makeTerminationLog(key);
  files.noteEnd(key);
  expect(files.isEndNoted(key)).toBe(false);
});
