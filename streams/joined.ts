// Two connections joined into one: bytes pass both ways, unchanged, and no faster than the slower side takes them.
// Invariants: what one side said before it ended reaches the other; when one is gone, so is the other soon after.
import type { Duplex } from 'node:stream';

/** Joins them. Half closes pass on; a side that fails takes the other along at once. */
export function joinDuplexes(one: Duplex, other: Duplex): void {
  joinHalf(one, other);
  joinHalf(other, one);
}

function joinHalf(from: Duplex, to: Duplex): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => {
    // An orderly end has been passed on by the pipe; what is on its way goes out first.
    if (!from.readableEnded || to.writableFinished) to.destroy();
    else to.end(() => to.destroy());
  });
  if (from.destroyed) to.destroy();
}
