// Ends connections over which nothing goes.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The longest time that a timer takes. */
const MAX_IDLE_MS = 2 ** 31 - 1;

/** Breaks a connection off once nothing has gone either way for so long; 0 for never. Calls in this process are never idle. */
export function endWhenIdle(socket: Duplex, idleMs: number): void {
  if (idleMs === 0 || !(socket instanceof Socket)) return;
  socket.setTimeout(Math.min(idleMs, MAX_IDLE_MS), () =>
    socket.destroy(new Error('nothing was sent or received for too long')),
  );
}
