// Tests of HTTP probes and hooks against real servers: redirects, certificates, headers, limits.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { HTTPGetAction } from '../../api/generated/types.ts';
import { until } from '../../test/support/until.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import { type HttpAsker, tryHttp } from './http-probe.ts';

let server: Server;
let port: number;
let connections: number;
let seen: { url: string; headers: Record<string, unknown> }[];

beforeEach(async () => {
  seen = [];
  connections = 0;
  server = createServer((request, response) => {
    const url = request.url ?? '';
    seen.push({ url, headers: request.headers });
    const [, code = '200', to] = /^\/(\d{3})(?:\?to=(.*))?$/.exec(url) ?? [];
    const where = url === '/loop' ? url : to;
    if (url === '/silent') return;
    response.writeHead(where === url ? 302 : Number(code), where ? { location: where } : {});
    // A body without an end, half of one, or no answer at all, where it is asked for.
    if (url === '/endless') response.write(Buffer.alloc(64 * 1024));
    else if (url === '/half') response.write('bo');
    else response.end('body');
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function attempt(get: Partial<HTTPGetAction>, asker: HttpAsker = 'probe', timeoutMs = 60_000) {
  const images = new FakeImageStore();
  const runtime = new FakeRuntime({ clock: systemClock, images });
  const target = { runtime, clock: systemClock, containerId: 'c', podIp: '127.0.0.1' };
  const container = { name: 'app' };
  return tryHttp({ port, ...get }, { ...target, container }, { timeoutMs, asker });
}

describe('an HTTP probe', () => {
  it('follows redirects within the pod, and is what the last one answers', async () => {
    expect(await attempt({ path: '/302?to=/200' })).toEqual({ ok: true });
    const message = 'HTTP probe failed with statuscode: 500';
    expect(await attempt({ path: '/301?to=/500' })).toEqual({ ok: false, message });
    expect(seen.map(({ url }) => url)).toEqual(['/302?to=/200', '/200', '/301?to=/500', '/500']);
  });

  it('does not follow one to another host: that is a success with a warning', async () => {
    expect(await attempt({ path: '/302?to=http://other.example/' })).toEqual({
      ok: true,
      warning: 'Probe terminated redirects, Response body: body',
    });
  });

  it('fails after ten, and asks no more', async () => {
    const message = `Get "http://127.0.0.1:${port}/loop": stopped after 10 redirects`;
    expect(await attempt({ path: '/loop' })).toEqual({ ok: false, message });
    expect(seen).toHaveLength(11);
  });

  it('sends its own headers, which the pod may replace, repeat or leave out', async () => {
    await attempt({});
    expect(seen[0]?.headers).toMatchObject({ 'user-agent': 'kube-probe/1.36', accept: '*/*' });
    const httpHeaders = [
      { name: 'Host', value: 'shop.example' },
      { name: 'User-Agent', value: 'me' },
      { name: 'Accept', value: '' },
      { name: 'X-Tag', value: 'a' },
      { name: 'X-Tag', value: 'b' },
      { name: 'Constructor', value: 'c' },
    ];
    await attempt({ httpHeaders });
    const { headers } = seen[1] ?? {};
    expect(headers).toMatchObject({ host: 'shop.example', 'user-agent': 'me', 'x-tag': 'a, b' });
    expect(headers).toHaveProperty('constructor', 'c');
    expect(headers).not.toHaveProperty('accept');
  });

  it('asks another host where it says so', async () => {
    expect(await attempt({ host: 'localhost', path: '/204' })).toEqual({ ok: true });
    const { ok } = await attempt({ host: 'no.such.host.invalid' }, 'probe', 5_000);
    expect(ok).toBe(false);
  });

  it('reads no more of an answer than it needs', async () => {
    expect(await attempt({ path: '/endless' })).toEqual({ ok: true });
  });

  it.each(['/silent', '/half'])(
    'gives a server up that does not end its answer: %s',
    async (path) => {
      const message = `Get "http://127.0.0.1:${port}${path}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
      expect(await attempt({ path }, 'probe', 100)).toEqual({ ok: false, message });
      await until(
        () => new Promise((resolve) => server.getConnections((_, n) => resolve(n === 0))),
      );
    },
  );

  it('makes a connection for each try, and says that it is the only one', async () => {
    await attempt({ path: '/200' });
    await attempt({ path: '/200' });
    expect(seen.map(({ headers }) => [headers['connection'], headers['host']])).toEqual(
      Array.from({ length: 2 }, () => ['close', `127.0.0.1:${port}`]),
    );
    expect(connections).toBe(2);
  });

  it('asks by HTTPS without looking at the certificate', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pinnace-probe-'));
    const authority = await CertificateAuthority.open(folder, systemClock);
    const names = [{ type: 'dns', value: 'elsewhere.example' }] as const;
    const pair = await authority.issue({ file: 'x', commonName: 'x', usage: 'server', names });
    const secure = createHttps(pair, (_, response) => response.end());
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    try {
      const { port: secured } = secure.address() as AddressInfo;
      expect(await attempt({ scheme: 'HTTPS', port: secured })).toEqual({ ok: true });
    } finally {
      await new Promise((resolve) => secure.close(resolve));
      rmSync(folder, { recursive: true });
    }
  });
});

describe('an HTTP hook', () => {
  it('takes any answer, and says who asks', async () => {
    expect(await attempt({ path: '/500' }, 'lifecycle')).toEqual({ ok: true });
    expect(seen[0]?.headers).toMatchObject({ 'user-agent': 'kube-lifecycle/1.36' });
  });

  it('fails where nobody answers', async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const result = await attempt({ path: '/' }, 'lifecycle');
    const what = `Get "http://127.0.0.1:${port}/": dial tcp 127.0.0.1:${port}`;
    const message = `${what}: connect: connection refused`;
    expect(result).toEqual({ ok: false, message });
  });
});
