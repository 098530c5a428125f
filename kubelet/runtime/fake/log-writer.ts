// Where containers of the fake runtime write their logs, which have the form that real runtimes give them (CRI).
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Logs by path. */
export interface LogWriter {
  /** Makes a log, empty; one that is there already is emptied. */
  begin(path: string): void;
  /** Adds a line, given without its newline. */
  append(path: string, line: string): void;
}

/** Logs as files, whose folders are made with them. */
export const fileLogs: LogWriter = {
  begin(path) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  },
  append(path, line) {
    appendFileSync(path, `${line}\n`);
  },
};
