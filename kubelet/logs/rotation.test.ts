// Tests of keeping logs small.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { aContainer, aSandbox } from '../../test/contracts/runtime.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import { fileLogs } from '../runtime/fake/log-writer.ts';
import { DiskLogs } from './disk-logs.ts';
import { rotationLimits } from './pod-logs.ts';
import { rotate } from './rotation.ts';

let folder: string;
let clock: VirtualClock;
let runtime: FakeRuntime;
let log: { id: string; logPath: string };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-rotation-'));
  clock = new VirtualClock();
  const images = new FakeImageStore();
  const image = images.add('app');
  runtime = new FakeRuntime({ clock, images, logs: fileLogs });
  const sandbox = aSandbox('p');
  const logPath = join(folder, '0.log');
  const config = aContainer({ name: 'app', imageId: image.id, command: [], logPath });
  const id = await runtime.createContainer(await runtime.runSandbox(sandbox), sandbox, config);
  await runtime.startContainer(id);
  log = { id, logPath };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const limits = { maxBytes: 10, maxFiles: 3 };

it('a log within its size is left alone', async () => {
  writeFileSync(log.logPath, 'short');
  expect(await rotate({ runtime, clock, logs: new DiskLogs(folder) }, log, limits)).toBe(false);
  expect(readdirSync(folder)).toEqual(['0.log']);
});

it('a large log makes room for a new one, older ones are packed, and the oldest go', async () => {
  const logs = new DiskLogs(folder);
  for (const text of ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc', 'dddddddddddd']) {
    writeFileSync(log.logPath, text);
    expect(await rotate({ runtime, clock, logs }, log, limits)).toBe(true);
    await clock.advance(60_000);
  }
  const old = readdirSync(folder).filter((name) => name !== '0.log');
  expect(old).toEqual([
    expect.stringMatching(/^0\.log\.\d{8}-\d{6}\.gz$/),
    expect.stringMatching(/^0\.log\.\d{8}-\d{6}$/),
  ]);
  const [packed, plain] = old.map((name) => readFileSync(join(folder, name)));
  expect(gunzipSync(packed as Buffer).toString()).toBe('cccccccccccc');
  expect(plain?.toString()).toBe('dddddddddddd');
  expect(readFileSync(log.logPath, 'utf8')).toBe('');
});

it('what an agent that died has left half packed goes, and is packed again', async () => {
  const old = `${log.logPath}.19000101-000000`;
  writeFileSync(old, 'old');
  writeFileSync(`${old}.tmp`, 'ol');
  writeFileSync(log.logPath, 'aaaaaaaaaaaa');
  await rotate({ runtime, clock, logs: new DiskLogs(folder) }, log, limits);
  expect(readdirSync(folder)).toContain('0.log.19000101-000000.gz');
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

it('what an agent that died has put aside, and not told the runtime of, is written on under its name', async () => {
  renameSync(log.logPath, `${log.logPath}.20260101-000000`);
  const logs = new DiskLogs(folder);
  expect(await rotate({ runtime, clock, logs }, log, limits)).toBe(false);
  expect(readFileSync(log.logPath, 'utf8')).toBe('');
});

it('two rotations within a second overwrite nothing', async () => {
  const logs = new DiskLogs(folder);
  writeFileSync(log.logPath, 'aaaaaaaaaaaa');
  expect(await rotate({ runtime, clock, logs }, log, limits)).toBe(true);
  writeFileSync(log.logPath, 'bbbbbbbbbbbb');
  expect(await rotate({ runtime, clock, logs }, log, limits)).toBe(false);
  expect(readFileSync(log.logPath, 'utf8')).toBe('bbbbbbbbbbbb');
});

it('sizes are those of the configuration', () => {
  const given = { containerLogMaxSize: '1Mi', containerLogMaxFiles: 3 };
  expect(rotationLimits(given)).toEqual({ maxBytes: 1024 * 1024, maxFiles: 3 });
});

it('a log that cannot be reopened keeps its name', async () => {
  writeFileSync(log.logPath, 'aaaaaaaaaaaa');
  runtime.failNext('reopenLog', new Error('gone'));
  await expect(rotate({ runtime, clock, logs: new DiskLogs(folder) }, log, limits)).rejects.toThrow(
    'gone',
  );
  expect(readdirSync(folder)).toEqual(['0.log']);
});
