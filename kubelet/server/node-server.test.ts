// Tests of the node's server over real TLS: who may ask, logs, commands in containers.
import { nodeRequestParts } from '../../test/support/node-request-parts.ts';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { endOfStdinFrame, readOutput, stdinFrames } from '../../streams/channels.ts';
import { aContainer, aSandbox } from '../../test/contracts/runtime.ts';
import { aPod } from '../pods/fixtures/pod-scenes.ts';
import type { Pod } from '../../api/generated/types.ts';
import { type KubeletConfiguration, resolveConfiguration } from '../configuration.ts';
import { SYNC_PATIENCE_MS } from './node-health.ts';
import { DiskLogs } from '../logs/disk-logs.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import type { Life } from '../runtime/fake/life.ts';
import { fileLogs } from '../runtime/fake/log-writer.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import type { NodeServer } from './node-requests.ts';
import { overHttps } from './node-server.ts';

const ALLOWED = 'kube-apiserver-kubelet-client';

let folder: string;
let ca: string;
let allowed: { cert: string; key: string };
let stranger: { cert: string; key: string };
let own: { cert: string; key: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-server-'));
  const authority = await CertificateAuthority.open(folder, systemClock);
  const issue = (commonName: string, usage: 'client' | 'server') =>
    authority.issue({
      file: commonName,
      commonName,
      usage,
      ...(usage === 'server' ? { names: [{ type: 'ip' as const, value: '127.0.0.1' }] } : {}),
    });
  [allowed, stranger, own] = await Promise.all([
    issue(ALLOWED, 'client'),
    issue('system:node:other', 'client'),
    issue('node', 'server'),
  ]);
  ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let server: NodeServer;
/** Another over the same pod; requests may take so long to arrive. */
let serve: (arrivalMs?: number) => Promise<NodeServer>;
let runtime: FakeRuntime;
let statuses: ContainerStatus[];
let life: Life;
let shown: Pod;
let configuration: KubeletConfiguration;
let seenAtMs: number | undefined;

beforeEach(async () => {
  life = { log: ['one', 'two', 'three'] };
  [shown, seenAtMs, configuration] = [aPod(), undefined, { ...resolveConfiguration() }];
  const images = new FakeImageStore();
  const image = images.add('app:1');
  runtime = new FakeRuntime({
    clock: systemClock,
    images,
    logs: fileLogs,
    lifeOf: () => life,
  });
  const sandbox = aSandbox('uid-1');
  const logPath = join(folder, 'app.log');
  const config = aContainer({ name: 'app', imageId: image.id, command: ['run'], logPath });
  const sandboxId = await runtime.runSandbox(sandbox);
  await runtime.startContainer(await runtime.createContainer(sandboxId, sandbox, config));
  statuses = [...(await runtime.listContainers())];
  runtime.subscribe(() => {
    void runtime.listContainers().then((all) => {
      statuses = [...all];
    });
  }, new AbortController().signal);
  serve = (arrivalMs) =>
    overHttps({
      host: '127.0.0.1',
      port: 0,
      tls: { ...own, clientCa: ca },
      allowedClientCommonNames: [ALLOWED],
      ...(arrivalMs ? { arrivalMs } : {}),
    })(
      nodeRequestParts({
        nodeName: 'node-1',
        pods: {
          list: () => [aPod()],
          find: (namespace, name) =>
            namespace === 'shop' && name === 'web'
              ? { pod: shown, podIp: undefined, containers: new Map([['app', statuses]]) }
              : undefined,
        },
        runtime,
        logs: new DiskLogs(folder),
        connect: () => Promise.reject(new Error('nobody listens')),
        configuration,
        measuredAtMs: () => seenAtMs,
      }),
    );
  server = await serve();
});
afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly text: string;
}

function get(path: string, as: { cert: string; key: string } | undefined = allowed) {
  return new Promise<Answer>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: server.port,
      path,
      ca,
      agent: false as const,
      ...as,
    };
    const call = request(options, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on('error', reject).end();
  });
}

const LOGS = '/containerLogs/shop/web/app';

describe('the node server', () => {
  it('cuts off who connects and says nothing, or half a request, once their time is over', async () => {
    const limited = await serve(100);
    const at = { port: limited.port, host: '127.0.0.1' };
    const silent = connect(at);
    const shaken = connectTls({ ...at, ca });
    const half = connectTls({ ...at, ca, ...allowed });
    half.write('GET /healthz HTTP/1.1\r\n');
    const all = [silent, shaken, half];
    try {
      await Promise.all(
        all.map((socket) => once(socket.on('error', () => undefined).resume(), 'close')),
      );
    } finally {
      for (const socket of all) socket.destroy();
      await limited.close();
    }
  }, 20_000);

  it('answers only callers whose certificate is allowed', async () => {
    expect(await get('/healthz')).toEqual({ status: 200, text: 'ok' });
    const bare = { cert: '', key: '' };
    expect((await get('/healthz', bare)).status).toBe(401);
    // The API server of this test is away: whom it would have to be asked about is not let in.
    expect((await get('/healthz', stranger)).status).toBe(500);
    expect((await get(LOGS, stranger)).text).not.toContain('one');
  });

  it('lists its pods and knows no other path', async () => {
    expect(JSON.parse((await get('/pods')).text)).toMatchObject({
      kind: 'PodList',
      items: [{ metadata: { name: 'web' } }],
    });
    expect((await get('/nothing')).status).toBe(404);
    expect((await get('/containerLogs/shop/web')).status).toBe(404);
    expect((await get('/containerLogs/%zz/web/app')).status).toBe(400);
    for (const path of ['//', '/\\', '/stats/../pods']) expect((await get(path)).status).toBe(404);
  });

  it('gives logs whole and in part', async () => {
    expect(await get(LOGS)).toEqual({ status: 200, text: 'one\ntwo\nthree\n' });
    expect((await get(`${LOGS}?tailLines=1`)).text).toBe('three\n');
    expect((await get(`${LOGS}?limitBytes=5`)).text).toBe('one\nt');
  });

  it.each([
    ['/containerLogs/shop/gone/app', 404],
    ['/containerLogs/shop/web/other', 404],
    [`${LOGS}?previous=true`, 400],
    [`${LOGS}?tailLines=x`, 400],
    [`${LOGS}?tailLines=-1`, 422],
    [`${LOGS}?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z`, 422],
    [`${LOGS}?sinceTime=yesterday`, 400],
    [`${LOGS}?stream=Stdin`, 422],
    [`${LOGS}?stream=Stdout&tailLines=1`, 422],
  ])('refuses %s with a Status of %i', async (path, code) => {
    const answer = await get(path);
    expect(answer.status).toBe(code);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: 'Status', code, status: 'Failure' });
  });

  it('gives one stream of a log, and all of them by name', async () => {
    expect((await get(`${LOGS}?stream=Stdout`)).text).toBe('one\ntwo\nthree\n');
    expect((await get(`${LOGS}?stream=Stderr`)).text).toBe('');
    expect((await get(`${LOGS}?stream=All&tailLines=1`)).text).toBe('three\n');
  });

  it.each([
    [undefined, 'ContainerCreating'],
    ['CrashLoopBackOff', 'CrashLoopBackOff'],
    ['ErrImagePull', "image can't be pulled"],
    ['ImagePullBackOff', 'trying and failing to pull image'],
  ])('says of a container that has not begun why it waits (%s)', async (reason, words) => {
    [shown, statuses] = [aPod(), []];
    const waiting = { name: 'app', image: '', imageID: '', ready: false, restartCount: 0 };
    if (reason)
      shown.status = { containerStatuses: [{ ...waiting, state: { waiting: { reason } } }] };
    expect(JSON.parse((await get(LOGS)).text)).toMatchObject({
      code: 400,
      message: `container "app" in pod "web" is waiting to start: ${words}`,
    });
  });

  it('keeps to what is switched off, and has no logs of the host', async () => {
    Object.assign(configuration, { enableDebuggingHandlers: false });
    const off = {
      status: 405,
      text: expect.stringContaining('Debug endpoints are disabled.') as string,
    };
    for (const path of [LOGS, '/runningpods/']) expect(await get(path)).toMatchObject(off);
    await expect(exec('command=x')).rejects.toThrow('405');
    expect((await get('/pods')).status).toBe(200);
    expect(await get('/logs/syslog')).toMatchObject({ status: 405 });
  });

  it('tells its health, each check by itself, and when its pods are not looked after any more', async () => {
    for (const path of ['/healthz/ping', '/healthz/log', '/healthz/syncloop'])
      expect(await get(path)).toEqual({ status: 200, text: 'ok' });
    expect((await get('/healthz/other')).status).toBe(404);
    seenAtMs = systemClock.monotonic() - SYNC_PATIENCE_MS - 1000;
    const { status, text } = await get('/healthz');
    expect([status, text]).toEqual([500, expect.stringContaining('[-]syncloop failed')]);
    expect((await get('/healthz/ping')).status).toBe(200);
  });

  it('shows no page that there is not', async () => {
    expect((await get('/metrics/cadvisor')).text).toContain('machine_cpu_cores 2');
    for (const path of ['/metrics/other', '/metrics/cadvisor/x', '/stats', '/debug/pprof/heap'])
      expect((await get(path)).status).toBe(404);
  });

  it('follows a log until its container ends', async () => {
    const following = get(`${LOGS}?follow=true`);
    runtime.crash(statuses[0]?.id ?? '', 0);
    expect((await following).text).toBe('one\ntwo\nthree\n');
  });
});

/** Runs a command; gives what it said and how it ended. */
function exec(query: string, options: { protocol?: string; input?: string } = {}) {
  const url = `wss://127.0.0.1:${server.port}/exec/shop/web/app?${query}`;
  const { protocol = 'v5.channel.k8s.io', input } = options;
  const socket = new WebSocket(url, [protocol], { ca, ...allowed });
  return new Promise<{ stdout: string; end: unknown }>((resolve, reject) => {
    let stdout = '';
    let end: unknown;
    socket.on('open', () => {
      if (input === undefined) return;
      for (const message of stdinFrames(Buffer.from(input))) socket.send(message);
      socket.send(endOfStdinFrame());
    });
    socket.on('message', (message: Buffer) => {
      const output = readOutput(message);
      if (output.kind === 'stdout') stdout += Buffer.from(output.data).toString();
      else end = output;
    });
    socket.on('close', () => resolve({ stdout, end }));
    socket.on('error', reject);
  });
}

describe('commands in containers', () => {
  it('give their output and their exit code', async () => {
    life = { ...life, exec: (command) => ({ exitCode: 3, stdout: command.join(' ') }) };
    await restart();
    expect(await exec('command=ls&command=-l&stdout=1')).toEqual({
      stdout: 'ls -l',
      end: { kind: 'exit', exitCode: 3 },
    });
  });

  it('take input, much of it too, until it ends', async () => {
    const input = 'x'.repeat(300_000);
    const { stdout, end } = await exec('command=cat&stdin=1&stdout=1', { input });
    expect(stdout.length).toBe(input.length);
    expect(end).toEqual({ kind: 'exit', exitCode: 0 });
  });

  it('are refused without a command, a container or a known protocol', async () => {
    await expect(exec('stdout=1')).rejects.toThrow('400');
    await expect(exec('command=x', { protocol: 'channel.k8s.io' })).rejects.toThrow('400');
    runtime.crash(statuses[0]?.id ?? '', 1);
    statuses = [...(await runtime.listContainers())];
    await expect(exec('command=x')).rejects.toThrow('404');
  });

  it('that fail to begin say why', async () => {
    runtime.failNext('exec', new Error('no such program'));
    const message = 'Internal error occurred: no such program';
    expect((await exec('command=x')).end).toEqual({ kind: 'failure', message });
  });
});

/** The container again, with the life of now. */
async function restart(): Promise<void> {
  const sandbox = aSandbox('uid-1');
  const [old] = statuses;
  const sandboxId = await runtime.runSandbox(sandbox);
  const config = aContainer({
    name: 'app',
    attempt: 1,
    imageId: old?.imageId ?? '',
    command: ['run'],
    logPath: join(folder, 'app.log'),
  });
  const id = await runtime.createContainer(sandboxId, sandbox, config);
  await runtime.startContainer(id);
  const status = await runtime.containerStatus(id);
  statuses = status ? [status] : [];
}
