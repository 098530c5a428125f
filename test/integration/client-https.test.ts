// The HTTPS transport with real certificates: who it trusts, who it says it is, WebSocket upgrades.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:https';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { parseKubeconfig, writeKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import type { ConnectionError } from '../../client/transport/connection-error.ts';
import { connectionProblem } from '../../client/transport/connection-problem.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import type { HttpTransportOptions } from '../../client/transport/http-options.ts';
import type { Transport } from '../../client/transport/transport.ts';

const folder = mkdtempSync(join(tmpdir(), 'client-https-'));
const transports: Transport[] = [];
let server: Server;
let options: HttpTransportOptions & { clientCert: string; clientKey: string; ca: string };
let renewed: { clientCert: string; clientKey: string };
let handshakes = 0;

beforeAll(async () => {
  const ca = await CertificateAuthority.open(folder, systemClock);
  const names = [{ type: 'ip' as const, value: '127.0.0.1' }];
  const served = await ca.issue({ file: 'server', commonName: 'server', usage: 'server', names });
  const me = await ca.issue({
    file: 'me',
    commonName: 'me',
    organizations: ['system:masters'],
    usage: 'client',
  });
  const next = await ca.issue({ file: 'next', commonName: 'next', usage: 'client' });
  renewed = { clientCert: next.cert, clientKey: next.key };
  const authority = readFileSync(join(folder, 'ca.crt'), 'utf8');
  server = createServer(
    { ...served, ca: authority, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      response.end(JSON.stringify({ kind: 'Who', name: subject.CN, group: subject.O }));
    },
  );
  // Idle connections stay, however long the host stands still.
  server.keepAliveTimeout = 0;
  server.on('secureConnection', () => handshakes++);
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('v5.channel.k8s.io') ? 'v5.channel.k8s.io' : false),
  });
  server.on('upgrade', (request, socket, head) => {
    if (request.url?.startsWith('/refused')) {
      const body = JSON.stringify({
        kind: 'Status',
        reason: 'Forbidden',
        code: 403,
        message: 'no',
      });
      socket.end(`HTTP/1.1 403 Forbidden\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.send(request.url ?? '');
      peer.on('message', (data) => peer.send(data));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  options = { server: url, ca: authority, clientCert: me.cert, clientKey: me.key };
});

afterAll(() => {
  for (const transport of transports) transport.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function aTransport(more: Partial<HttpTransportOptions> = {}): Transport {
  const transport = createHttpTransport({ ...options, ...more });
  transports.push(transport);
  return transport;
}

const get = { method: 'GET', path: '/who' } as const;

describe('the HTTPS transport', () => {
  it('is who its certificate says, over one connection used again', async () => {
    const transport = aTransport();
    const before = handshakes;
    for (let i = 0; i < 5; i++) {
      const reply = await transport.request(get);
      expect(reply.object()).toEqual({ kind: 'Who', name: 'me', group: 'system:masters' });
    }
    expect(handshakes - before).toBe(1);
  });

  it('is who its newest certificate says, whatever connections there are', async () => {
    const { clientCert, clientKey, ...rest } = options;
    let shown = { clientCert, clientKey };
    const credentials = { current: () => Promise.resolve(shown), refused: () => undefined };
    const transport = createHttpTransport({ ...rest, credentials });
    transports.push(transport);
    const before = handshakes;
    const names: unknown[] = [];
    for (const each of [shown, renewed, shown, renewed]) {
      shown = each;
      names.push((await transport.request(get)).object()['name']);
    }
    expect([names, handshakes - before]).toEqual([['me', 'next', 'me', 'next'], 2]);
  });

  it('works from a kubeconfig that was written and read', async () => {
    const text = writeKubeconfig({ ...options, token: undefined, name: 'here', user: 'me' });
    const { transport: parsed } = await parseKubeconfig(text, folder);
    const reply = await aTransport(parsed).request(get);
    expect(reply.object()).toMatchObject({ name: 'me' });
  });

  it('does not speak to a server whose certificate nobody it trusts has signed', async () => {
    await expect(aTransport({ ca: undefined }).request(get)).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
    });
    const careless = aTransport({ ca: undefined, insecureSkipTlsVerify: true });
    expect((await careless.request(get)).status).toBe(200);
  });

  it('does not take a certificate that is for another name', async () => {
    const transport = aTransport({ tlsServerName: 'elsewhere.example' });
    await expect(transport.request(get)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('says what to do about each wrong way to a server', async () => {
    const plain = createHttpServer((_, response) => response.end());
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const port = (plain.address() as AddressInfo).port;
    const problem = (more: Partial<HttpTransportOptions>) =>
      aTransport(more)
        .request(get)
        .catch((error: unknown) => connectionProblem(error as ConnectionError, options.server));
    expect(await problem({ ca: undefined })).toMatch(/ - .*set certificate-authority/);
    expect(await problem({ tlsServerName: 'x.example' })).toMatch(/ - .*set tls-server-name/);
    expect(await problem({ server: `https://127.0.0.1:${port}` })).toMatch(/ - .*http:\/\//);
    plain.close();
  });

  it('fails where the server turns its certificate down', async () => {
    const transport = aTransport({ clientCert: undefined, clientKey: undefined });
    await expect(transport.request(get)).rejects.toMatchObject({ name: 'ConnectionError' });
  });

  it('opens WebSockets with the protocol the server chose, and ends them on abort', async () => {
    const abort = new AbortController();
    const request = {
      ...get,
      path: '/exec',
      query: { command: ['a', 'b c'] },
      signal: abort.signal,
    };
    const protocols = ['v4.channel.k8s.io', 'v5.channel.k8s.io'];
    const { socket, protocol } = await aTransport().upgrade!(request, protocols);
    expect(protocol).toBe('v5.channel.k8s.io');
    const message = new Promise((resolve) =>
      socket.once('message', (data) => resolve((data as Buffer).toString())),
    );
    socket.resume();
    const first = await message;
    expect(first).toBe('/exec?command=a&command=b+c');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    abort.abort(new Error('enough'));
    await closed;
  });

  it('throws the Status of an upgrade that is refused', async () => {
    const refused = aTransport().upgrade!({ ...get, path: '/refused' }, ['v5.channel.k8s.io']);
    await expect(refused).rejects.toMatchObject({ name: 'StatusError', reason: 'Forbidden' });
  });
});
