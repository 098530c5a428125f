// Small records that change a few times soon after each other: a file of JSON lines, of which the last whole one counts.
// Invariants: a process that dies at any moment leaves the record of before or the new one; the file stays below a named size. A line costs
// the disk no new file and no flush, as renaming a draft over the record does: what a loss of power may take is the last half minute's.
import { closeSync, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** A file that would grow beyond this is written anew, with one line. */
export const RECORD_FILE_BYTES = 64 * 1024;

/** Makes the record say this. Throws what the disk says, and leaves what it said before. */
export function writeRecord(path: string, record: object): void {
  const text = JSON.stringify(record);
  const file = openSync(path, 'a', 0o600);
  try {
    const { size } = fstatSync(file);
    // Begins the line rather than ends it: what a torn one before it holds stays apart from it.
    const line = size === 0 ? text : `\n${text}`;
    if (size === 0 || size + Buffer.byteLength(line) <= RECORD_FILE_BYTES) {
      writeFileSync(file, line);
      return;
    }
  } finally {
    closeSync(file);
  }
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What the record says; undefined where it was lost with the host's power. Throws when there is no such file. */
export function readRecord(path: string): unknown {
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const line of lines.toReversed()) {
    const record = parsed(line);
    if (record !== undefined) return record;
  }
  return undefined;
}

function parsed(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
