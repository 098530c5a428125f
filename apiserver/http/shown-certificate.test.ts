// What a connection shows, and what one shows that is gone.
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { shownCertificate } from './shown-certificate.ts';

/** A connection of which Node says, one time after another, that this is its certificate. */
function showing(...answers: unknown[]): TLSSocket {
  const socket = new TLSSocket(new Duplex() as never);
  return Object.assign(socket, { authorized: true, getPeerCertificate: () => answers.shift() });
}

const certificate = { subject: { CN: 'a', O: 'b' }, fingerprint256: 'AB' };

it('is read once', () => {
  const socket = showing(certificate, undefined);
  const shown = shownCertificate(socket);
  expect(shown).toEqual({ CN: 'a', O: 'b', fingerprint256: 'AB' });
  expect(shownCertificate(socket)).toBe(shown);
});

it('is none once the connection is gone, and that is not remembered', () => {
  const socket = showing(null, certificate);
  expect(shownCertificate(socket)).toBeUndefined();
  expect(shownCertificate(socket)).toMatchObject({ CN: 'a' });
});

it('is none of a connection that shows none, and that is remembered', () => {
  const socket = showing({}, certificate);
  expect(shownCertificate(socket)).toBeUndefined();
  expect(shownCertificate(socket)).toBeUndefined();
});
