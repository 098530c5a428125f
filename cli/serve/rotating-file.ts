// A log file with a size limit: when full it becomes FILE.1 and a new one begins.
// Invariant: the two files together never hold more than twice the limit.
import { closeSync, mkdirSync, openSync, renameSync, fstatSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Bytes after which a file is rotated, unless told otherwise. */
const DEFAULT_LIMIT_BYTES = 10 * 1024 * 1024;

/** Appends to a file that never grows beyond its limit. */
export class RotatingFile {
  readonly path: string;
  readonly #limitBytes: number;
  #descriptor: number;
  #size: number;

  constructor(path: string, limitBytes = DEFAULT_LIMIT_BYTES) {
    mkdirSync(dirname(path), { recursive: true });
    this.path = path;
    this.#limitBytes = limitBytes;
    this.#descriptor = openSync(path, 'a', 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  /** Appends; rotates first when the text would pass the limit. */
  write(text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    if (this.#size > 0 && this.#size + bytes.length > this.#limitBytes) this.#rotate();
    writeSync(this.#descriptor, bytes);
    this.#size += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    closeSync(this.#descriptor);
    renameSync(this.path, `${this.path}.1`);
    this.#descriptor = openSync(this.path, 'a', 0o600);
    this.#size = 0;
  }
}
