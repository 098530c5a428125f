// What LMDB adds to the contract: survival of kill -9 and of a full disk, one process at a time, bounded history.
// Real processes are killed and starved; nothing is simulated.
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { aValue, takeEvents } from '../../../test/contracts/storage.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import type { NewValue, Storage } from '../storage.ts';
import { StorageError } from '../storage.ts';
import { COMPACT_EVERY_MS } from '../versioned-store.ts';
import type { LmdbStorageOptions } from './lmdb-storage.ts';
import { openLmdbStorage } from './lmdb-storage.ts';

const WRITER = join(import.meta.dirname, '../../../test/contracts/storage-writer.ts');

interface Ack {
  readonly n: number;
  readonly revision: bigint;
}

describe('LMDB storage', () => {
  const folders: string[] = [];
  const stores: Storage[] = [];
  const children: ChildProcess[] = [];

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const store of stores.splice(0)) await store.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  function newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'pinnace-lmdb-'));
    folders.push(folder);
    return folder;
  }

  async function open(directory: string, options: Partial<LmdbStorageOptions> = {}) {
    const storage = await openLmdbStorage({
      directory,
      clock: systemClock,
      logger: silentLogger,
      ...options,
    });
    stores.push(storage);
    return storage;
  }

  /** Starts the writer; `fileBlocks` bounds the size of files that it may write, in KiB. */
  function startWriter(directory: string, fileBlocks?: number) {
    const limit = fileBlocks === undefined ? '' : `ulimit -S -f ${fileBlocks}; `;
    const script = `${limit}exec "$0" "$@"`;
    const child = spawn('bash', ['-c', script, process.execPath, WRITER, directory], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(child);
    const acked = new Map<string, Ack>();
    const waiting = new Set<() => void>();
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [word, key = '', n, revision] = line.split(' ');
      if (word === 'ack') acked.set(key, { n: Number(n), revision: BigInt(revision ?? 0) });
      lines.push(line);
      for (const check of waiting) check();
    });
    const until = (condition: (lines: readonly string[]) => boolean) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (!condition(lines)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      });
    const kill = async () => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    };
    return { acked, lines, until, kill, pid: child.pid ?? 0 };
  }

  const numberIn = (bytes: Uint8Array) =>
    (JSON.parse(Buffer.from(bytes).toString()) as { data: { n: number } }).data.n;

  async function expectWhole(storage: Storage, acked: ReadonlyMap<string, Ack>): Promise<void> {
    for (const [key, ack] of acked) {
      const stored = storage.pending(key);
      expect(stored?.revision).toBeGreaterThanOrEqual(ack.revision);
      if (stored?.revision === ack.revision) expect(numberIn(stored.bytes)).toBe(ack.n);
    }
    const { oldest, newest } = storage.range();
    const signal = new AbortController().signal;
    const events = await takeEvents(storage.watch('', oldest, signal), Number(newest - oldest));
    const last = new Map<string, bigint>();
    let revision = oldest;
    for (const event of events) {
      expect(event.revision).toBe(++revision);
      expect(event.previous?.revision).toBe(last.get(event.key));
      last.set(event.key, event.revision);
    }
    const { items } = await storage.page('', {});
    expect(new Map(items.map((item) => [item.key, item.revision]))).toEqual(last);
  }

  it('loses no acknowledged write when the process is killed in mid-write, again and again', async () => {
    const directory = newFolder();
    const acked = new Map<string, Ack>();
    for (const enough of [300, 1_000, 50]) {
      const writer = startWriter(directory);
      await writer.until((lines) => lines.length > enough);
      await writer.kill();
      expect(writer.lines[0]).toBe('ready');
      for (const [key, ack] of writer.acked) acked.set(key, ack);
      const storage = await open(directory);
      await expectWhole(storage, acked);
      await storage.close();
    }
  });

  it('turns read-only when the disk is full, loses nothing, and takes writes again when there is room', async () => {
    const directory = newFolder();
    const writer = startWriter(directory, 3_000);
    await writer.until((lines) => lines.filter((line) => line === 'refused ReadOnly').length > 20);
    const acksBefore = writer.lines.filter((line) => line.startsWith('ack')).length;
    expect(acksBefore).toBeGreaterThan(100);
    execFileSync('prlimit', ['--pid', String(writer.pid), '--fsize=unlimited']);
    await writer.until(
      (lines) => lines.filter((line) => line.startsWith('ack')).length > acksBefore + 200,
    );
    await writer.kill();
    await expectWhole(await open(directory), writer.acked);
  });

  it('refuses a directory that another process uses, naming it, and takes it over when that one died', async () => {
    const directory = newFolder();
    const writer = startWriter(directory);
    await writer.until((lines) => lines.length > 0);
    const refused = open(directory);
    await expect(refused).rejects.toBeInstanceOf(StorageError);
    await expect(refused).rejects.toMatchObject({
      reason: 'Unavailable',
      message: `the data directory ${directory} is in use by process ${writer.pid}; stop that one, or choose another directory`,
    });
    await writer.until((lines) => lines.length > 100);
    await writer.kill();
    const storage = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({ reason: 'Unavailable' });
    await storage.close();
    await (await open(directory)).close();
  });

  it('says in one line that a directory cannot be used', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const refused = open(join(file, 'store'));
    await expect(refused).rejects.toMatchObject({ reason: 'Unavailable' });
    await expect(refused).rejects.toThrow(/^the data directory [^\n]* cannot be used [^\n]*$/);
  });

  it('finds objects, history and the compaction point again after it was closed', async () => {
    const directory = newFolder();
    const first = await open(directory);
    for (let n = 0; n < 5; n++) await first.commit('/a/1', 'any', aValue('one', { n }));
    await first.commit('/a/2', 'any', aValue('two'));
    await first.commit('/a/2', 'any', 'delete');
    await first.compact(3n);
    const before = await first.page('', {});
    await first.close();
    const second = await open(directory);
    expect(second.range()).toEqual({ oldest: 3n, newest: 7n });
    expect(await second.page('', {})).toEqual(before);
    const signal = new AbortController().signal;
    const events = await takeEvents(second.watch('', 3n, signal), 4);
    expect(events.map(({ type, revision }) => `${type} ${revision}`)).toEqual([
      'put 4',
      'put 5',
      'put 6',
      'delete 7',
    ]);
    await second.compact(7n);
    await second.close();
    expect((await open(directory)).range()).toEqual({ oldest: 7n, newest: 7n });
  });

  it('uses the room of forgotten history again', async () => {
    const directory = newFolder();
    const storage = await open(directory);
    for (let round = 0; round < 30; round++) {
      const names = Array.from({ length: 100 }, (_, n) => `/a/${round}-${n}`);
      const text = 'x'.repeat(1_200);
      const write = (name: string, value: NewValue | 'delete') =>
        storage.commit(name, 'any', value);
      await Promise.all(names.map((name) => write(name, aValue(name, { text }))));
      await Promise.all(names.map((name) => write('/a/same', aValue(name, { text }))));
      await Promise.all(names.map((name) => write(name, 'delete')));
      await storage.compact(storage.range().newest);
    }
    expect((await storage.page('', {})).items).toHaveLength(1);
    await storage.close();
    expect(statSync(join(directory, 'data.mdb')).size).toBeLessThan(1.4 * 1024 * 1024);
  });

  it('keeps history within its bounds of count, size and age', async () => {
    const clock = new VirtualClock();
    const bounds = {
      count: { historyMaxEvents: 100 },
      size: { historyMaxBytes: 20_000 },
      age: { historyMaxAgeMs: 60_000 },
    };
    for (const bound of Object.values(bounds)) {
      const storage = await open(newFolder(), { clock, ...bound });
      const writes = Array.from({ length: 400 }, (_, n) =>
        storage.commit(`/a/${n % 10}`, 'any', aValue('one', { n })),
      );
      await Promise.all(writes);
      await clock.advance(COMPACT_EVERY_MS);
      await clock.advance(12 * COMPACT_EVERY_MS);
      await storage.compact(0n);
      const { oldest, newest } = storage.range();
      expect(newest).toBe(400n);
      expect(oldest).toBeGreaterThanOrEqual(250n);
      expect((await storage.page('', {})).items).toHaveLength(10);
      await storage.close();
    }
  });
});
