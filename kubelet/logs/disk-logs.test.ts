// Tests of what is told of logs as files besides their lines.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { aPod } from '../pods/fixtures/pod-scenes.ts';
import { DiskLogs } from './disk-logs.ts';

let folder: string;
let logs: DiskLogs;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-logs-'));
  logs = new DiskLogs(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['none', [], 0],
  ['one', ['0.log'], 1],
  ['the last of several', ['0.log', '4.log', '11.log'], 12],
  ['one of which only what was put aside is left', ['0.log', '2.log.20260102-150405.gz'], 3],
  [
    'files that are no logs of this agent',
    ['x7.log', '9.logs', '8.txt', '-3.log', `${'9'.repeat(20)}.log`],
    0,
  ],
])('tells how many containers have had a log: %s', (_, names, attempts) => {
  const path = logs.pathOf(aPod(), 'app', 0);
  mkdirSync(dirname(path), { recursive: true });
  for (const name of names) writeFileSync(join(dirname(path), name), '');
  expect(logs.attempts(aPod(), 'app')).toBe(attempts);
  expect(logs.attempts(aPod(), 'other')).toBe(0);
});
