// An upgraded connection that is joined to the caller's: bytes both ways, untouched and unbuffered.
import type { UpgradedConnection } from '../../api/wire/exchange.ts';
import { joinDuplexes } from '../../streams/joined.ts';
import type { NodeUpgrade } from './node-dialer.ts';

/** The connection to hand to the caller. */
export function joinedConnection({
  headers,
  socket: inner,
  head,
}: NodeUpgrade): UpgradedConnection {
  return {
    headers,
    accept(socket, early) {
      if (!socket.destroyed && head.length > 0) socket.write(head);
      if (early.length > 0) inner.write(early);
      joinDuplexes(socket, inner);
    },
  };
}
