// A record over its changes: which one is read after a death in the middle of a line, and how large the file becomes.
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RECORD_FILE_BYTES, readRecord, writeRecord } from './record-file.ts';

describe('a record', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pinnace-record-'));
    path = join(folder, 'record.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('says what was written last, in the same file and for its owner alone', () => {
    writeRecord(path, { phase: 'creating' });
    const { ino, mode } = statSync(path);
    writeRecord(path, { phase: 'running', why: 'a\nb' });
    expect(readRecord(path)).toEqual({ phase: 'running', why: 'a\nb' });
    expect(statSync(path).ino).toBe(ino);
    expect(mode & 0o777).toBe(0o600);
  });

  it.each(['\n{"phase":"run', '\n', '\n{"phase":"running"', `\n${'\0'.repeat(40)}`])(
    'says what it said before where its writer died in the middle: %j',
    (torn) => {
      writeRecord(path, { phase: 'creating' });
      appendFileSync(path, torn);
      expect(readRecord(path)).toEqual({ phase: 'creating' });
      writeRecord(path, { phase: 'exited' });
      expect(readRecord(path)).toEqual({ phase: 'exited' });
    },
  );

  it.each(['', 'null', '{"phase', '7', '\0\0'])('says nothing where it holds %j', (text) => {
    writeFileSync(path, text);
    expect(readRecord(path)).toBeUndefined();
  });

  it('is written anew before its file grows beyond its limit, and holds what is larger than that', () => {
    for (let round = 0; round < 300; round++) {
      writeRecord(path, { round, text: 'ä'.repeat(500) });
      expect(statSync(path).size).toBeLessThanOrEqual(RECORD_FILE_BYTES);
      expect(readRecord(path)).toMatchObject({ round });
    }
    const large = { text: 'a'.repeat(RECORD_FILE_BYTES) };
    writeRecord(path, large);
    writeRecord(path, { ...large, again: true });
    expect(readRecord(path)).toEqual({ ...large, again: true });
    expect(readdirSync(folder)).toEqual(['record.json']);
  });
});
