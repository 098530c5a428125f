// The two ends of a connection within this process: what is written to one is read from the other.
// Invariant: when an end is gone, so is the other, as with a socket: what was said before an orderly end is still read, and what
// is being said to a side that is gone fails.
import { type Duplex, duplexPair } from 'node:stream';

/** Both ends. */
export function connectedPair(): readonly [Duplex, Duplex] {
  const [one, other] = duplexPair();
  one.once('close', () => endAfter(one, other));
  other.once('close', () => endAfter(other, one));
  return [one, other];
}

function endAfter(gone: Duplex, left: Duplex): void {
  if (!gone.writableFinished || left.writableLength > 0 || left.readableEnded) left.destroy();
  else left.once('end', () => left.destroy());
}
