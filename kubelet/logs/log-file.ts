// A container's log file read from a place on, followed through growth and rotation.
// Invariant: every whole line is given once and in order; at most one read's worth is held in memory. What is not followed ends where the
// file ended when it was opened: who writes on adds no line to the last ones that were asked for, and keeps nobody reading.
import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Timer } from '../../base/clock.ts';
import type { FollowOptions, LinesAsked } from './pod-logs.ts';

/** Bytes read at once. */
const READ_BYTES = 64 * 1024;
/** A line longer than this is given in pieces. Runtimes cut at 16 KiB. */
const MAX_LINE_BYTES = 1024 * 1024;
/** How often a followed file is looked at without an event: the safety net of fs.watch. */
const LOOK_AGAIN_MS = 1000;
const NEWLINE = 0x0a;

/** Batches of lines without their newlines, from where the asked ones begin. Throws ENOENT before the first. */
export async function* fileLines(
  path: string,
  { tailLines, follow }: LinesAsked,
): AsyncGenerator<readonly Uint8Array[]> {
  const file = await open(path, 'r');
  let part: Part;
  try {
    const { size } = await file.stat();
    const from = tailLines === undefined ? 0 : await tailOffset(file, size, tailLines);
    part = { path, file, from, end: follow ? Infinity : size };
  } catch (error) {
    await file.close();
    throw error;
  }
  yield* readLines(part, follow);
}

/** What is to be read of a file that is open; reading closes it. */
interface Part {
  readonly path: string;
  readonly file: FileHandle;
  readonly from: number;
  readonly end: number;
}

/** Where the last `lines` lines of a file of that size begin. 0 when it has no more than those. */
async function tailOffset(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size;
  const buffer = Buffer.alloc(READ_BYTES);
  // The newline that ends the file ends its last line; a file that ends without one has an unfinished line.
  let wanted = lines;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (buffer[i] !== NEWLINE || start + i === size - 1) continue;
      wanted -= 1;
      if (wanted === 0) return start + i + 1;
    }
    end = start;
  }
  return 0;
}

/** Batches of lines without their newlines, to the part's end, or as long as it grows. */
async function* readLines(
  { path, from, end, ...part }: Part,
  follow?: FollowOptions,
): AsyncGenerator<readonly Uint8Array[]> {
  let { file } = part;
  // Before the first read, so that no change is missed.
  const changes = follow ? new Changes(path, follow) : undefined;
  try {
    const cutter = new LineCutter();
    let at = from;
    for (;;) {
      // Asked before reading: what was written before the end is read after it.
      const grows = follow?.grows() ?? false;
      const read = await readChunk(file, { at, end });
      if (read.length > 0) {
        at += read.length;
        yield cutter.push(read);
        continue;
      }
      if (follow?.signal.aborted) return;
      const next = follow ? await successor(path, file, at) : undefined;
      if (next) {
        await file.close();
        file = next;
        at = 0;
        continue;
      }
      if (!grows) break;
      await changes?.next();
    }
    const rest = cutter.rest();
    if (rest.length > 0) yield [rest];
  } finally {
    changes?.close();
    await file.close();
  }
}

async function readChunk(
  file: FileHandle,
  { at, end }: { at: number; end: number },
): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
  return buffer.subarray(0, bytesRead);
}

/** The file that has taken this one's place, or this one again when it was cut short. */
async function successor(
  path: string,
  file: FileHandle,
  at: number,
): Promise<FileHandle | undefined> {
  let next: FileHandle;
  try {
    next = await open(path, 'r');
  } catch {
    return undefined;
  }
  const [now, then] = await Promise.all([next.stat(), file.stat()]);
  const same = now.ino === then.ino && now.dev === then.dev;
  // A rotated file may have got its last bytes after the last read.
  if ((same && now.size >= at) || (!same && then.size > at)) {
    await next.close();
    return undefined;
  }
  return next;
}

/** Cuts bytes into lines. */
class LineCutter {
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  push(bytes: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      lines.push(this.#join(bytes.subarray(from, to)));
      from = to + 1;
    }
    if (from < bytes.length) this.#hold(bytes.subarray(from));
    if (this.#heldBytes > MAX_LINE_BYTES) lines.push(this.#join(new Uint8Array()));
    return lines;
  }

  rest(): Uint8Array {
    return this.#join(new Uint8Array());
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #join(tail: Uint8Array): Uint8Array {
    if (this.#held.length === 0) return tail;
    const line = Buffer.concat([...this.#held, tail]);
    this.#held = [];
    this.#heldBytes = 0;
    return line;
  }
}

/** Says when a file may have changed. */
class Changes {
  readonly #watcher: FSWatcher | undefined;
  readonly #follow: FollowOptions;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(path: string, follow: FollowOptions) {
    this.#follow = follow;
    const name = basename(path);
    const tell = () => {
      this.#changed = true;
      this.#wake?.();
    };
    try {
      // The folder, not the file: a rotated file's successor has the name, not the inode.
      this.#watcher = watch(dirname(path), { persistent: false }, (_, changed) => {
        if (changed === null || changed === name) tell();
      });
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // No more watches on this host: the timer alone does it.
      this.#watcher = undefined;
    }
    follow.signal.addEventListener('abort', tell, { once: true });
  }

  async next(): Promise<void> {
    if (this.#changed || this.#follow.signal.aborted) {
      this.#changed = false;
      return;
    }
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = this.#follow.clock.timer(LOOK_AGAIN_MS, resolve);
    });
    timer?.cancel();
    this.#wake = undefined;
    this.#changed = false;
  }

  close(): void {
    this.#watcher?.close();
  }
}
