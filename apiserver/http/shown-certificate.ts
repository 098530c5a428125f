// The certificate that the other side of a connection shows. Invariant: it is read once for each connection, however many requests come
// with it; requests of one connection share one object, which what is remembered about their user hangs on. A connection that is gone
// shows nothing, and nothing is remembered of that.
import type { Socket } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { type Credentials, UNVERIFIED } from '../auth/authenticator.ts';

type Shown = Credentials['certificate'];

const read = new WeakMap<Socket, Shown>();

/** What the connection shows. */
export function shownCertificate(socket: Socket): Shown {
  const known = read.get(socket);
  if (known !== undefined || read.has(socket)) return known;
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerCertificate() as Partial<PeerCertificate> | null;
  if (certificate === null) return undefined;
  const shown = subjectOf(certificate, socket);
  read.set(socket, shown);
  return shown;
}

function subjectOf(
  { subject, fingerprint256 }: Partial<PeerCertificate>,
  socket: TLSSocket,
): Shown {
  if (subject === undefined) return undefined;
  return socket.authorized ? { CN: subject.CN, O: subject.O, fingerprint256 } : UNVERIFIED;
}
