// Tests of callers that read slowly, not at all, or go away: what they do not take is not read for them, and nothing is kept.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { aContainer, aSandbox } from '../../test/contracts/runtime.ts';
import { nodeRequestParts } from '../../test/support/node-request-parts.ts';
import { until } from '../../test/support/until.ts';
import { resolveConfiguration } from '../configuration.ts';
import { MemoryLogs } from '../host/memory/memory-logs.ts';
import type { FollowOptions } from '../logs/pod-logs.ts';
import { aPod } from '../pods/fixtures/pod-scenes.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import type { ExecSession } from '../runtime/runtime.ts';
import { MAX_LOG_STREAMS, MAX_POD_CONNECTIONS } from './shared-places.ts';
import type { NodeServer } from './node-requests.ts';
import { overHttps } from './node-server.ts';

const ALLOWED = 'kube-apiserver-kubelet-client';
const MIB = 1024 * 1024;
const LOG_BYTES = 200 * MIB;
const LINE = Buffer.from(`2026-01-01T00:00:00.000000000Z stdout F ${'x'.repeat(1023)}`);
/** The bytes of it that a reader sees, with the end of the line. */
const SHOWN_BYTES = 1024;
const BATCH = Array.from({ length: 64 }, () => LINE);
/** What sockets, TLS and streams of both sides may hold together. */
const HELD_BYTES = 24 * MIB;

/** A log without end in sight, that counts what is read of it and tells when nobody reads any more. */
class LongLogs extends MemoryLogs {
  given = 0;
  open = 0;

  /** Its first line alone, and then nothing until the reader goes. */
  quiet = false;

  override async *lines(
    _path: string,
    { follow }: { readonly follow?: FollowOptions | undefined },
  ): AsyncGenerator<readonly Uint8Array[]> {
    this.open += 1;
    try {
      if (this.quiet && follow) {
        yield [LINE];
        await new Promise((resolve) => follow.signal.addEventListener('abort', resolve));
        return;
      }
      for (; this.given < LOG_BYTES; this.given += BATCH.length * SHOWN_BYTES) yield BATCH;
    } finally {
      this.open -= 1;
    }
  }
}

/** Commands that say a gigabyte, and count what was taken of it. */
class FloodingRuntime extends FakeRuntime {
  given = 0;
  killed = 0;
  silent = false;

  override exec(): Promise<ExecSession> {
    const piece = Buffer.alloc(64 * 1024, 'y');
    const source = () => {
      if (this.given >= 1024 * MIB) return null;
      this.given += piece.length;
      return piece;
    };
    const read = () => void (this.silent || stdout.push(source()));
    const stdout = new Readable({ read });
    const exit = Promise.withResolvers<number>();
    stdout.once('end', () => exit.resolve(0));
    const kill = () => {
      this.killed += 1;
      stdout.destroy();
      exit.resolve(137);
    };
    stdout.on('error', () => undefined);
    const stdin = new PassThrough();
    return Promise.resolve({
      stdin,
      stdout,
      stderr: undefined,
      resize: () => undefined,
      exit: exit.promise,
      kill,
    });
  }
}

let folder: string;
let ca: string;
let client: { cert: string; key: string };
let own: { cert: string; key: string };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-readers-'));
  const authority = await CertificateAuthority.open(folder, systemClock);
  client = await authority.issue({ file: 'c', commonName: ALLOWED, usage: 'client' });
  const names = [{ type: 'ip' as const, value: '127.0.0.1' }];
  own = await authority.issue({ file: 's', commonName: 'node', usage: 'server', names });
  ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let logs: LongLogs;
let runtime: FloodingRuntime;
let server: NodeServer;

async function serve(idle = '4h0m0s'): Promise<void> {
  logs = new LongLogs();
  const images = new FakeImageStore();
  runtime = new FloodingRuntime({ clock: systemClock, images });
  const sandbox = aSandbox('uid-1');
  const imageId = images.add('app:1').id;
  const config = aContainer({ name: 'app', imageId, command: ['run'], logPath: '/log' });
  const sandboxId = await runtime.runSandbox(sandbox);
  await runtime.startContainer(await runtime.createContainer(sandboxId, sandbox, config));
  const containers = new Map([['app', await runtime.listContainers()]]);
  server = await overHttps({
    host: '127.0.0.1',
    port: 0,
    tls: { ...own, clientCa: ca },
    allowedClientCommonNames: [ALLOWED],
  })(
    nodeRequestParts({
      nodeName: 'node-1',
      pods: {
        list: () => [aPod()],
        find: () => ({ pod: aPod(), podIp: undefined, containers }),
      },
      runtime,
      logs,
      connect: () => Promise.reject(new Error('nobody listens')),
      configuration: resolveConfiguration({ streamingConnectionIdleTimeout: idle }),
    }),
  );
}
beforeEach(() => serve());
afterEach(() => server.close());

function open(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: server.port,
      path,
      ca,
      agent: false as const,
      ...client,
    };
    request(options, resolve).once('error', reject).end();
  });
}

const exec = (query: string, pod = 'web') =>
  new WebSocket(
    `wss://127.0.0.1:${server.port}/exec/shop/${pod}/app?command=x&${query}`,
    ['v5.channel.k8s.io'],
    { ca, ...client },
  );

/** Resolves once a count that grew has not grown for a while. */
async function atRest(count: () => number): Promise<void> {
  await until(() => count() > 0);
  for (let before = -1; before !== count(); ) {
    before = count();
    await systemClock.sleep(100);
  }
}

describe('a log of 200 MB', () => {
  it('is read no faster than its reader takes it, and then whole', async () => {
    const response = await open('/containerLogs/shop/web/app');
    response.pause();
    await atRest(() => logs.given);
    expect(logs.given).toBeLessThan(HELD_BYTES);
    let seen = 0;
    response.on('data', (data: Buffer) => (seen += data.length)).resume();
    await finished(response);
    expect(seen).toBe(LOG_BYTES);
    expect(logs.open).toBe(0);
  });

  it('is read no further once its reader has gone, and its file is closed', async () => {
    const response = await open('/containerLogs/shop/web/app?follow=true');
    response.pause();
    await atRest(() => logs.given);
    response.destroy();
    await until(() => logs.open === 0);
    expect(logs.given).toBeLessThan(HELD_BYTES);
  });

  it('holds nobody else up while its reader stalls', async () => {
    const stalled = await open('/containerLogs/shop/web/app');
    stalled.pause();
    await atRest(() => logs.given);
    const other = await open('/healthz');
    expect(other.statusCode).toBe(200);
    other.resume();
    stalled.destroy();
  });
});

describe('logs that are followed', () => {
  it('of one pod never take all places: the next is refused with words, and others are served', async () => {
    logs.quiet = true;
    const path = '/containerLogs/shop/web/app?follow=true';
    const followers: IncomingMessage[] = [];
    const half = MAX_LOG_STREAMS / 2;
    try {
      const sixteen = () => Promise.all(Array.from({ length: 16 }, () => open(path)));
      while (followers.length < half) followers.push(...(await sixteen()));
      expect(new Set(followers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
      const refused = await open(path);
      expect(refused.statusCode).toBe(429);
      expect(await json(refused)).toMatchObject({
        kind: 'Status',
        reason: 'TooManyRequests',
        message: expect.stringContaining('pod "shop/web" has 192 logs open already') as string,
      });
      expect(await text(await open('/healthz'))).toBe('ok');
      followers.push(await open('/containerLogs/shop/other/app?follow=true'));
      expect(followers.pop()?.destroy().statusCode).toBe(200);
      followers.pop()?.destroy();
      await until(() => logs.open === half - 1);
      followers.push(await open(path));
      expect(followers.at(-1)?.statusCode).toBe(200);
    } finally {
      for (const follower of followers) follower.destroy();
    }
    await until(() => logs.open === 0);
  });
});

describe('commands in one pod', () => {
  it('never take all places: the next is refused with words, and those of another pod begin', async () => {
    runtime.silent = true;
    const running: WebSocket[] = [];
    const begin = async (pod: string) => {
      const socket = exec('stdout=1', pod);
      running.push(socket);
      return new Promise<number | undefined>((resolve, reject) => {
        socket.once('open', () => resolve(101));
        socket.once('unexpected-response', (_, { statusCode }) => resolve(statusCode));
        socket.once('error', reject);
      });
    };
    const half = MAX_POD_CONNECTIONS / 2;
    try {
      while (running.length < half)
        await Promise.all(Array.from({ length: 16 }, () => begin('web')));
      expect(await begin('web')).toBe(429);
      expect(await begin('other')).toBe(101);
      running[0]?.terminate();
      await until(async () => (await begin('web')) === 101);
    } finally {
      for (const socket of running) socket.terminate();
    }
  });
});

describe('a command that floods', () => {
  it('says no more than its caller reads, over WebSocket, and dies with the connection', async () => {
    const socket = exec('stdout=1');
    socket.on('open', () => socket.pause());
    await atRest(() => runtime.given);
    expect(runtime.given).toBeLessThan(HELD_BYTES);
    expect(runtime.killed).toBe(0);
    socket.terminate();
    await until(() => runtime.killed > 0);
  });
});

describe('a connection over which nothing goes', () => {
  it('is broken off after streamingConnectionIdleTimeout, and its command with it', async () => {
    await server.close();
    await serve('100ms');
    runtime.silent = true;
    const socket = exec('stdin=1&stdout=1');
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    await until(() => runtime.killed > 0);
  });
});
