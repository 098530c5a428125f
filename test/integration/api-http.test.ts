// The API server over HTTPS: who is who, what it makes of bad input, and how it sends.
import { createHash, X509Certificate } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { get } from 'node:https';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BODY_LIMIT_BYTES } from '../../apiserver/options.ts';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

let server: TestServer;
/** Node's own, that listens. */
let listener: Server;
beforeAll(async () => {
  const note = (told: unknown) => ({ server: listener } = told as { server: Server });
  subscribe('tracing:net.server.listen:asyncEnd', note);
  server = await startTestServer();
  unsubscribe('tracing:net.server.listen:asyncEnd', note);
});
afterAll(() => server.close());

describe('Who calls', () => {
  it('is named by the client certificate, with its organizations as groups', async () => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const digest = createHash('sha256')
      .update(new X509Certificate(server.tls.cert).raw)
      .digest('hex');
    const answer = await server.call('POST', path, { body });
    expect(answer.status).toBe(201);
    expect(answer.json().status.userInfo).toEqual({
      username: 'admin',
      groups: ['system:masters', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${digest}`] },
    });
  });

  it('is refused with a certificate that nobody vouches for, and let in where a token is good', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'strange-ca-'));
    const strangers = await CertificateAuthority.open(folder, systemClock);
    const pair = await strangers.issue({ file: 'x', commonName: 'admin', usage: 'client' });
    rmSync(folder, { recursive: true });
    const ask = async (path: string, headers: OutgoingHttpHeaders = {}) => {
      const options = { ...pair, ca: server.tls.ca, agent: false, headers };
      const [answer] = (await once(get(server.url + path, options), 'response')) as [
        IncomingMessage,
      ];
      return { status: answer.statusCode, said: await text(answer) };
    };
    const refused = await ask('/api/v1/namespaces/default/pods');
    expect([refused.status, JSON.parse(refused.said).message]).toEqual([401, 'Unauthorized']);
    expect((await ask('/healthz')).status).toBe(401);
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'shown' } };
    await server.call('POST', accounts, { body: account });
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const made = await server.call('POST', `${accounts}/shown/token`, { body });
    const { token } = made.json().status;
    expect((await ask('/healthz', { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it('is anonymous without credentials, and refused in the words clients know', async () => {
    const answer = await server.call('GET', '/api/v1/namespaces/default/pods', { as: 'nobody' });
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({
      kind: 'Status',
      reason: 'Forbidden',
      message:
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    });
  });

  it('is refused with a token that nobody has', async () => {
    const headers = { authorization: 'Bearer wrong' };
    const answer = await server.call('GET', '/version', { as: 'nobody', headers });
    expect(answer.status).toBe(401);
    expect(answer.json().reason).toBe('Unauthorized');
  });
});

describe('A connection that cannot be taken', () => {
  it('does not end the server', async () => {
    // As Node does where accept() fails; without a listener that ends the process.
    listener.emit('error', new Error('accept EMFILE'));
    expect((await server.call('GET', '/version')).status).toBe(200);
  });
});

describe('Bad input gets the Status that Kubernetes gives', () => {
  const refused = async (body: object | string | Uint8Array, headers = {}) => {
    const answer = await server.call('POST', CONFIG_MAPS, { body, headers });
    return { ...answer.json(), http: answer.status };
  };

  it('413 for a body over the limit', async () => {
    const status = await refused('x'.repeat(BODY_LIMIT_BYTES + 1));
    expect(status).toMatchObject({ http: 413, code: 413, reason: 'RequestEntityTooLarge' });
  });

  it('415 for a content type that is none', async () => {
    const status = await refused('a=b', { 'content-type': 'text/csv' });
    expect(status).toMatchObject({ http: 415, code: 415, reason: 'UnsupportedMediaType' });
  });

  it('400 for broken JSON', async () => {
    const status = await refused('{"kind": "ConfigMap"');
    expect(status).toMatchObject({ http: 400, code: 400, reason: 'BadRequest' });
  });

  it('400 for another kind than the path is for', async () => {
    const status = await refused({ ...configMap('a'), kind: 'Secret' });
    expect(status).toMatchObject({ http: 400, code: 400, reason: 'BadRequest' });
  });

  it('400 for an unknown field under strict validation, naming it', async () => {
    const body = { ...configMap('a'), dada: {} };
    const answer = await server.call('POST', `${CONFIG_MAPS}?fieldValidation=Strict`, { body });
    expect(answer.status).toBe(400);
    expect(answer.json().message).toContain('unknown field "dada"');
  });

  it('422 for a bad name, with the path of the field among the causes', async () => {
    const status = await refused(configMap('Not_A_Name'));
    expect(status).toMatchObject({ http: 422, reason: 'Invalid' });
    expect(status.details.causes[0]).toMatchObject({ field: 'metadata.name' });
  });

  it('404 for a path that is none, and 400 for one with an encoded slash', async () => {
    expect((await server.call('GET', '/apis/nowhere/v1/things')).status).toBe(404);
    expect((await server.call('GET', `${CONFIG_MAPS}/a%2Fb`)).status).toBe(400);
  });

  it('431 for a head that is too large, and 400 for what is not HTTP', async () => {
    const headers = { 'x-large': 'x'.repeat(100_000) };
    const answer = await server.call('GET', '/version', { headers });
    expect(answer.status).toBe(431);
    expect(answer.json()).toMatchObject({ kind: 'Status', code: 431 });
    const socket = connect({ port: server.port, host: '127.0.0.1', ...server.tls });
    socket.write('this is not HTTP\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 400 .*"kind":"Status"/s);
  });

  it('nothing for a truncated body, and goes on', async () => {
    const { port, tls } = server;
    const socket = connect({ port, host: '127.0.0.1', ...tls });
    await once(socket, 'secureConnect');
    socket.write(
      `POST ${CONFIG_MAPS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n` +
        'content-length: 100\r\n\r\n{"kind":',
    );
    socket.end();
    socket.resume();
    await once(socket, 'close');
    expect((await server.call('GET', '/readyz')).status).toBe(200);
  });
});

describe('Answers', () => {
  it('warn of unknown fields in a header', async () => {
    const body = { ...configMap('warned'), dada: {} };
    const answer = await server.call('POST', `${CONFIG_MAPS}?fieldValidation=Warn`, { body });
    expect(answer.status).toBe(201);
    expect(answer.headers['warning']).toBe('299 - "unknown field \\"dada\\""');
  });

  it('carry warnings in any script, and no more of them than a head has room for', async () => {
    const strange = { ...configMap('strange'), 'é€中': 1 };
    const one = await server.call('POST', `${CONFIG_MAPS}?fieldValidation=Warn`, { body: strange });
    expect(one.status).toBe(201);
    const header = Buffer.from(String(one.headers['warning']), 'latin1').toString();
    expect(header).toBe('299 - "unknown field \\"é€中\\""');
    const fields = Array.from({ length: 3000 }, (_, i) => [`field${i}`, 1] as const);
    const many = { ...configMap('many'), ...Object.fromEntries(fields) };
    const other = await server.call('POST', `${CONFIG_MAPS}?fieldValidation=Warn`, { body: many });
    expect(other.status).toBe(201);
    expect(String(other.headers['warning']).length).toBeLessThan(10_000);
  });

  it('are compressed when large and asked for so', async () => {
    const body = configMap('large', { text: 'x'.repeat(200_000) });
    await server.call('POST', CONFIG_MAPS, { body });
    const socket = connect({ port: server.port, host: '127.0.0.1', ...server.tls });
    socket.write(
      `GET ${CONFIG_MAPS}/large HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n`,
    );
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const whole = Buffer.concat(chunks);
    const split = whole.indexOf('\r\n\r\n');
    expect(whole.subarray(0, split).toString()).toContain('content-encoding: gzip');
    const object = JSON.parse(gunzipSync(whole.subarray(split + 4)).toString());
    expect(object.data.text).toHaveLength(200_000);
  });

  it('are indented for people, refusals too', async () => {
    const headers = { 'user-agent': 'curl/8' };
    const missing = await server.call('GET', `${CONFIG_MAPS}/none`, { headers });
    expect([missing.status, missing.text]).toEqual([404, JSON.stringify(missing.json(), null, 2)]);
    const authorization = 'Bearer wrong';
    const strange = await server.call('GET', `${CONFIG_MAPS}?pretty=true`, {
      as: 'nobody',
      headers: { authorization },
    });
    expect([strange.status, strange.text]).toEqual([401, JSON.stringify(strange.json(), null, 2)]);
    const body = configMap('small');
    await server.call('POST', CONFIG_MAPS, { body });
    const path = `${CONFIG_MAPS}?pretty=true&fieldSelector=metadata.name%3Dsmall`;
    const list = await server.call('GET', path);
    expect(list.text).toBe(JSON.stringify(list.json(), null, 2));
    expect(Number(list.headers['content-length'])).toBe(Buffer.byteLength(list.text));
    const head = await server.call('HEAD', path);
    expect(head.headers['content-length']).toBe(list.headers['content-length']);
  });

  it('that are documents with an ETag are not', async () => {
    const headers = { 'user-agent': 'curl/8' };
    const plain = await server.call('GET', '/apis');
    const asked = await server.call('GET', '/apis?pretty=true', { headers });
    expect([asked.text, asked.headers['etag']]).toEqual([plain.text, plain.headers['etag']]);
  });

  it('stream a watch line by line, and end it when the server closes', async () => {
    const other = await startTestServer();
    const path = `${CONFIG_MAPS}?watch=true&resourceVersion=0`;
    const watch = await other.open(path, new AbortController().signal);
    await other.call('POST', CONFIG_MAPS, { body: configMap('seen') });
    const [first] = (await once(watch, 'data')) as [Buffer];
    expect(JSON.parse(first.toString().split('\n')[0] ?? '')).toMatchObject({
      type: 'ADDED',
      object: { metadata: { name: 'seen' } },
    });
    const ended = once(watch, 'close');
    watch.on('error', () => undefined).resume();
    await other.close();
    await ended;
  });

  it('say in one line that a port is in use', async () => {
    const { key, cert, ca } = server.tls;
    const at = { host: '127.0.0.1', port: server.port, tls: { key, cert, clientCa: ca } };
    const other = await startTestServer();
    await expect(other.server.listen(at)).rejects.toThrow(
      `cannot listen on 127.0.0.1:${server.port}: the port is in use`,
    );
    await other.close();
  });
});
