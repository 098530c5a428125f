// Tests of reading container logs: tails, times, limits, growth and rotation, on real files.
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { DiskLogs } from './disk-logs.ts';
import { type LogQuery, logBytes } from './log-stream.ts';

let folder: string;
let path: string;
let logs: DiskLogs;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-log-'));
  path = join(folder, '0.log');
  logs = new DiskLogs(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const EVERYTHING: LogQuery = {
  tailLines: undefined,
  sinceMs: undefined,
  timestamps: false,
  limitBytes: undefined,
  stream: undefined,
};
const time = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.5+00:00`;
const line = (n: number, stream = 'stdout') => `${time(n)} ${stream} F line ${n}\n`;

async function read(query: Partial<LogQuery> = {}): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of logBytes({ logs, path }, { ...EVERYTHING, ...query }))
    parts.push(chunk);
  return Buffer.concat(parts).toString();
}

describe('a log', () => {
  it('is given from its beginning, streams together or one alone', async () => {
    writeFileSync(path, line(1) + line(2, 'stderr') + line(3));
    expect(await read()).toBe('line 1\nline 2\nline 3\n');
    expect(await read({ stream: 'stderr' })).toBe('line 2\n');
  });

  it('is given by its last lines, however long it is', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => line(i % 60));
    writeFileSync(path, lines.join('') + line(58) + line(59));
    expect(await read({ tailLines: 2 })).toBe('line 58\nline 59\n');
    expect((await read({ tailLines: 10_000 })).split('\n').length).toBe(10_001);
    expect(await read({ tailLines: 0 })).toBe('');
    expect((await read({ tailLines: 1_000_000 })).split('\n').length).toBe(20_003);
  });

  it.each([undefined, 5_000])(
    'ends where it ended when it was asked for: %s lines',
    async (tailLines) => {
      writeFileSync(path, line(1).repeat(10_000));
      let lines = 0;
      for await (const chunk of logBytes({ logs, path }, { ...EVERYTHING, tailLines })) {
        lines += Buffer.from(chunk).toString().split('\n').length - 1;
        // Each time it is read, its program has written more.
        appendFileSync(path, line(2).repeat(2_000));
        if (lines > 20_000) break;
      }
      expect(lines).toBe(tailLines ?? 10_000);
    },
  );

  it('counts an unfinished last line as one of the last', async () => {
    writeFileSync(path, `${line(1)}${line(2)}${time(3)} stdout F unfini`);
    expect(await read({ tailLines: 2 })).toBe('line 2\nunfini\n');
  });

  it('leaves out what is older than the asked time', async () => {
    writeFileSync(path, line(1) + line(2) + line(3));
    expect(await read({ sinceMs: Date.parse(time(2)) })).toBe('line 2\nline 3\n');
  });

  it('joins parts of a line and puts the time before whole lines only', async () => {
    writeFileSync(path, `${time(1)} stdout P one \n${time(1)} stdout F line\n${line(2)}`);
    expect(await read()).toBe('one line\nline 2\n');
    expect(await read({ timestamps: true })).toBe(
      '2026-01-01T00:00:01.5Z one line\n2026-01-01T00:00:02.5Z line 2\n',
    );
  });

  it('never exceeds the byte limit', async () => {
    writeFileSync(path, line(1) + line(2));
    expect(await read({ limitBytes: 9 })).toBe('line 1\nli');
  });
});

describe('a followed log', () => {
  it('goes on through growth and rotation, loses no line and ends with its container', async () => {
    writeFileSync(path, line(0));
    let grows = true;
    const ending = new AbortController();
    const follow = { clock: systemClock, signal: ending.signal, grows: () => grows };
    let text = '';
    const seen = Promise.withResolvers<void>();
    const until = (part: string) => () => text.includes(part);
    const waiting = new Map<() => boolean, () => void>();
    const when = (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        if (condition()) resolve();
        else waiting.set(condition, resolve);
      });
    const reading = (async () => {
      for await (const chunk of logBytes({ logs, path, follow }, EVERYTHING)) {
        text += Buffer.from(chunk).toString();
        for (const [condition, resolve] of waiting) if (condition()) resolve();
      }
      seen.resolve();
    })();
    await when(until('line 0'));
    appendFileSync(path, line(1));
    await when(until('line 1'));
    renameSync(path, join(folder, '0.log.1'));
    appendFileSync(join(folder, '0.log.1'), line(2));
    writeFileSync(path, line(3));
    await when(until('line 3'));
    appendFileSync(path, line(4));
    grows = false;
    await reading;
    expect(text).toBe('line 0\nline 1\nline 2\nline 3\nline 4\n');
  });

  it('ends when its reader goes away', async () => {
    writeFileSync(path, line(0));
    const ending = new AbortController();
    const follow = { clock: systemClock, signal: ending.signal, grows: () => true };
    let text = '';
    for await (const chunk of logBytes({ logs, path, follow }, EVERYTHING)) {
      text += Buffer.from(chunk).toString();
      ending.abort();
    }
    expect(text).toBe('line 0\n');
  });
});
