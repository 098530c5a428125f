// The LMDB backend of the storage contract: durable, embedded, one process at a time.
// Invariant: what commit answered survives the death of the process at any moment.
import { accessSync, constants, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Storage } from '../storage.ts';
import { StorageError } from '../storage.ts';
import type { HistoryOptions } from '../versioned-store.ts';
import { VersionedStore } from '../versioned-store.ts';
import { releaseDirectory, takeDirectory } from './directory-lock.ts';
import { LmdbLog } from './lmdb-log.ts';

/** Where the store lies, and how much history it keeps. */
export interface LmdbStorageOptions extends HistoryOptions {
  /** A directory of its own, made when absent. */
  readonly directory: string;
}

/** Directories that this process has open: LMDB must not open one twice. */
const openDirectories = new Set<string>();

/** Opens a store. Throws StorageError 'Unavailable', one line that says what to do, when the directory is in use or not writable. */
export async function openLmdbStorage(options: LmdbStorageOptions): Promise<Storage> {
  const directory = resolve(options.directory);
  prepare(directory);
  if (openDirectories.has(directory))
    throw new StorageError(
      'Unavailable',
      `the data directory ${directory} is already open in this process; close it first`,
    );
  openDirectories.add(directory);
  let log: OwnedLmdbLog | undefined;
  try {
    log = new OwnedLmdbLog(directory);
    log.take();
    return new VersionedStore(log, options);
  } catch (error) {
    await log?.abandon();
    openDirectories.delete(directory);
    throw translate(error, directory);
  }
}

/** A log that gives its directory back when it is closed. */
class OwnedLmdbLog extends LmdbLog {
  readonly #directory: string;

  constructor(directory: string) {
    super(directory);
    this.#directory = directory;
  }

  take(): void {
    this.exclusively(() => takeDirectory(this.#directory));
  }

  /** Closes without touching the record of the owner, which may be another process. */
  abandon(): Promise<void> {
    return super.close();
  }

  override async close(): Promise<void> {
    await super.close();
    releaseDirectory(this.#directory);
    openDirectories.delete(this.#directory);
  }
}

function prepare(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notUsable(directory, error);
  }
}

function translate(error: unknown, directory: string): StorageError {
  return error instanceof StorageError ? error : notUsable(directory, error);
}

function notUsable(directory: string, error: unknown): StorageError {
  const why = error instanceof Error ? error.message : String(error);
  return new StorageError(
    'Unavailable',
    `the data directory ${directory} cannot be used (${why}); make it writable, or choose another directory`,
    error,
  );
}
