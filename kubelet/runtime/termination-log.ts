// The last words of a container, read from the file that it was given for them.
// Invariant: a container wrote this file, so it is read with a limit, never followed as a link and never waited for.
import { closeSync, constants, openSync, readSync } from 'node:fs';

/** Longest termination message, as upstream. */
const MAX_MESSAGE_BYTES = 4096;

/** What the file begins with; '' when there is none. */
export function readTerminationLog(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return '';
  }
  try {
    const buffer = Buffer.alloc(MAX_MESSAGE_BYTES);
    return buffer.subarray(0, readSync(fd, buffer, 0, MAX_MESSAGE_BYTES, 0)).toString();
  } finally {
    closeSync(fd);
  }
}
