// What a run leaves behind is told by name.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { aHostNamespace } from '../host-namespace.ts';
import { until } from '../../test/support/until.ts';
import { hostPlaces, removeScratch, tracesOf } from './host-traces.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'traces-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const NOTHING_NEW = hostPlaces;

it('a run that cleaned up has left nothing', () => {
  expect(tracesOf(scratch, NOTHING_NEW())).toEqual([]);
});

it('a file, and a process that knows the folder by its environment alone', async () => {
  writeFileSync(join(scratch, 'forgotten'), '');
  const child = spawn('sleep', ['1000'], { env: { TMPDIR: scratch } });
  await once(child, 'spawn');
  expect(tracesOf(scratch, NOTHING_NEW())).toEqual([
    `process ${child.pid} (sleep 1000)`,
    `file ${join(scratch, 'forgotten')}`,
  ]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  removeScratch(scratch);
  expect(existsSync(scratch)).toBe(false);
});

it('a mount, below which nothing is removed', () => {
  const point = join(scratch, 'mounted');
  mkdirSync(point);
  expect(spawnSync('mount', ['-t', 'tmpfs', 'none', point]).status).toBe(0);
  writeFileSync(join(point, 'kept'), '');
  expect(tracesOf(scratch, NOTHING_NEW())).toContain(`mount ${point}`);
  removeScratch(scratch);
  expect(existsSync(join(point, 'kept'))).toBe(true);
  expect(spawnSync('umount', [point]).status).toBe(0);
});

it('a network namespace and a cgroup that were not there before, unless others are at work', async () => {
  const before = hostPlaces();
  const host = aHostNamespace();
  const folder = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'].find((path) => existsSync(path)) ?? '';
  const cgroup = join(folder, `pinnace-traces-${process.pid}`);
  mkdirSync(cgroup);
  const made = [`/run/netns/${host.name}`, cgroup];
  expect([...hostPlaces()]).toEqual(expect.arrayContaining(made));
  const other = spawn('sh', ['-c', 'exec -a vitest/other sleep 1000'], { env: {} });
  await once(other, 'spawn');
  const traces = () => tracesOf(scratch, before).filter((trace) => made.includes(trace));
  await until(() => traces().length === 0);
  other.kill('SIGKILL');
  rmdirSync(cgroup);
  host.dispose();
});
