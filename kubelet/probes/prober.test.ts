// Tests of probes over time, on a clock that the tests move.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Container, Probe } from '../../api/generated/types.ts';
import { aContainer as aConfig, aSandbox } from '../../test/contracts/runtime.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import { RuntimeError } from '../runtime/runtime.ts';
import { networkProbes, tryProbe } from './probe-action.ts';
import { errored, FRESH, stepProbe } from './probe-state.ts';
import { Prober } from './prober.ts';

const SECOND = 1000;
const exec = (command: string, parts: Partial<Probe> = {}): Probe => ({
  exec: { command: [command] },
  periodSeconds: 10,
  ...parts,
});

let clock: VirtualClock;
let runtime: FakeRuntime;
let prober: Prober;
let id: string;
/** Which commands succeed. */
let well: Set<string>;
let tries: string[];
let failures: string[];

beforeEach(async () => {
  clock = new VirtualClock();
  const images = new FakeImageStore();
  const image = images.add('app');
  well = new Set();
  tries = [];
  failures = [];
  const life = {
    exec: ([command = '']: readonly string[]) => {
      tries.push(`${command}@${(clock.now() - start) / SECOND}`);
      return { exitCode: well.has(command) ? 0 : 1, stdout: 'said' };
    },
  };
  runtime = new FakeRuntime({ clock, images, lifeOf: () => life });
  prober = new Prober({ runtime, clock, random: seededRandom(1), door: networkProbes });
  const sandbox = aSandbox('p');
  const sandboxId = await runtime.runSandbox(sandbox);
  const config = aConfig({ name: 'app', imageId: image.id, command: [], logPath: '' });
  id = await runtime.createContainer(sandboxId, sandbox, config);
  await runtime.startContainer(id);
  start = clock.now();
});
let start: number;

function watch(container: Partial<Container>): void {
  prober.watch({
    containerId: id,
    container: { name: 'app', ...container },
    podIp: '127.0.0.1',
    startedAtMs: clock.now(),
    onChange: () => undefined,
    onFailure: (kind, message) => failures.push(`${kind}: ${message}`),
  });
}

describe('stepProbe', () => {
  it('changes its verdict only after as many results in a row as the threshold says', () => {
    const limits = { success: 2, failure: 3 };
    const bad = { ok: false, message: '' } as const;
    const good = { ok: true } as const;
    let state = FRESH;
    const verdicts = [good, good, bad, bad, good, bad, bad, bad, good, good].map((result) => {
      state = stepProbe(state, result, limits);
      return state.verdict;
    });
    expect(verdicts).toEqual([
      'unknown',
      'ok',
      'ok',
      'ok',
      'ok',
      'ok',
      'ok',
      'failed',
      'failed',
      'ok',
    ]);
  });
});

describe('probes', () => {
  it('that cannot be made count for nothing, and are told', async () => {
    const notes: string[] = [];
    const livenessProbe = exec('live', { periodSeconds: 1, failureThreshold: 1 });
    for (let i = 0; i < 3; i++)
      runtime.failNext('execSync', new RuntimeError('ExecError', 'no such program'));
    well.add('live');
    prober.watch({
      containerId: id,
      container: { name: 'app', livenessProbe },
      podIp: '127.0.0.1',
      startedAtMs: clock.now(),
      onChange: () => undefined,
      onFailure: (kind, message) => failures.push(`${kind}: ${message}`),
      onNote: (kind, { what, message }) => notes.push(`${kind} ${what}: ${message}`),
    });
    await clock.advance(2.5 * SECOND);
    expect([prober.failed(id), failures]).toEqual([undefined, []]);
    expect(notes).toEqual(Array.from({ length: 3 }, () => 'liveness errored: no such program'));
    well.delete('live');
    await clock.advance(SECOND);
    expect(prober.failed(id)).toBeDefined();
  });

  it('end with the container that they have given up', async () => {
    watch({ livenessProbe: exec('live', { periodSeconds: 1, failureThreshold: 2 }) });
    await clock.advance(5 * SECOND);
    expect([tries.length, clock.pendingTimers]).toEqual([2, 0]);
  });

  it('are not needed for a container to be ready', () => {
    watch({});
    expect([prober.started(id), prober.ready(id)]).toEqual([true, true]);
    prober.forget(id);
    expect(prober.ready(id)).toBe(false);
  });

  it('end with the node agent, whose last verdicts stay', async () => {
    well.add('ready');
    watch({ readinessProbe: exec('ready') });
    await clock.advance(0);
    prober.close();
    expect([prober.ready(id), clock.pendingTimers]).toEqual([true, 0]);
    prober.forget(id);
    watch({ readinessProbe: exec('ready') });
    await clock.advance(20 * SECOND);
    expect([tries, clock.pendingTimers]).toEqual([['ready@0'], 0]);
  });

  it('of readiness run at once, then by period, and decide readiness', async () => {
    watch({ readinessProbe: exec('ready') });
    await clock.advance(0);
    expect([prober.ready(id), tries]).toEqual([false, ['ready@0']]);
    well.add('ready');
    await clock.advance(10 * SECOND);
    expect(prober.ready(id)).toBe(true);
    well.delete('ready');
    await clock.advance(20 * SECOND);
    expect(prober.ready(id)).toBe(true);
    await clock.advance(10 * SECOND);
    expect(prober.ready(id)).toBe(false);
    expect(prober.failed(id)).toBeUndefined();
    expect(failures).toContain('readiness: said');
  });

  it('wait for their initial delay', async () => {
    watch({ readinessProbe: exec('ready', { initialDelaySeconds: 7 }) });
    await clock.advance(6.9 * SECOND);
    expect(tries).toEqual([]);
    await clock.advance(0.1 * SECOND);
    expect(tries).toEqual(['ready@7']);
  });

  it('of liveness give a container up after their threshold, with their own grace period', async () => {
    const probe = exec('live', {
      periodSeconds: 1,
      failureThreshold: 2,
      terminationGracePeriodSeconds: 5,
    });
    watch({ livenessProbe: probe });
    await clock.advance(0.5 * SECOND);
    expect(prober.failed(id)).toBeUndefined();
    await clock.advance(SECOND);
    expect(prober.failed(id)).toEqual({
      message: 'app failed liveness probe',
      graceMs: 5000,
    });
  });

  it('of readiness and liveness wait until startup has succeeded, which then is over', async () => {
    watch({
      startupProbe: exec('start', { periodSeconds: 1, failureThreshold: 30 }),
      readinessProbe: exec('ready', { periodSeconds: 1 }),
      livenessProbe: exec('live', { periodSeconds: 1 }),
    });
    well.add('ready').add('live');
    await clock.advance(3.5 * SECOND);
    expect(new Set(tries.map((each) => each.split('@')[0]))).toEqual(new Set(['start']));
    expect([prober.started(id), prober.ready(id)]).toEqual([false, false]);
    well.add('start');
    await clock.advance(SECOND);
    expect([prober.started(id), prober.ready(id)]).toEqual([true, true]);
    const before = tries.filter((each) => each.startsWith('start')).length;
    await clock.advance(5 * SECOND);
    expect(tries.filter((each) => each.startsWith('start')).length).toBe(before);
  });

  it('of startup give a container up that never starts', async () => {
    watch({ startupProbe: exec('start', { periodSeconds: 1, failureThreshold: 3 }) });
    await clock.advance(2.5 * SECOND);
    expect(prober.failed(id)?.message).toContain('failed startup probe');
  });

  it('of a container that is being stopped only tell readiness', async () => {
    watch({
      livenessProbe: exec('live', { periodSeconds: 1, failureThreshold: 1 }),
      readinessProbe: exec('ready', { periodSeconds: 1, failureThreshold: 1 }),
    });
    well.add('live').add('ready');
    await clock.advance(0.5 * SECOND);
    prober.endure(id);
    well.clear();
    await clock.advance(3 * SECOND);
    expect([prober.failed(id), prober.ready(id)]).toEqual([undefined, false]);
  });

  it('that are forgotten never run again', async () => {
    watch({ livenessProbe: exec('live', { periodSeconds: 1 }) });
    await clock.advance(0);
    prober.forget(id);
    await clock.advance(10 * SECOND);
    expect(tries).toEqual(['live@0']);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('single tries', () => {
  let server: Server;
  let port: number;
  let seen: Record<string, unknown>;
  beforeEach(async () => {
    server = createServer((request, response) => {
      seen = { url: request.url, ...request.headers };
      const code = Number(request.url?.slice(1)) || 200;
      if (request.url !== '/slow') response.writeHead(code).end('body');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** With time to be had on a busy host: a second, as by default, is too short for what is to be answered. */
  const attempt = (probe: Probe) =>
    tryProbe(
      { timeoutSeconds: 60, ...probe },
      {
        runtime,
        clock: systemClock,
        containerId: id,
        podIp: '127.0.0.1',
        container: { name: 'app', ports: [{ name: 'http', containerPort: port }] },
      },
    );

  it.each([
    [200, true],
    [302, true],
    [399, true],
    [400, false],
    [503, false],
  ])('take %i for %s', async (code, ok) => {
    const result = await attempt({ httpGet: { path: `/${code}`, port } });
    expect(result.ok).toBe(ok);
    if (!result.ok) expect(result.message).toBe(`HTTP probe failed with statuscode: ${code}`);
  });

  it('find ports by name and send their headers', async () => {
    const httpHeaders = [{ name: 'X-Probe', value: 'yes' }];
    expect(await attempt({ httpGet: { path: '/a?b=c', port: 'http', httpHeaders } })).toEqual({
      ok: true,
    });
    expect(seen).toMatchObject({ url: '/a?b=c', 'x-probe': 'yes', connection: 'close' });
    expect((await attempt({ httpGet: { port: 'none' } })).ok).toBe(false);
  });

  it('end in time', async () => {
    const result = await attempt({ httpGet: { path: '/slow', port }, timeoutSeconds: 0.05 });
    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('deadline') });
  });

  it('of commands say why in the same words each time', async () => {
    const probe = { exec: { command: ['sleep', '10'] }, timeoutSeconds: 2 };
    for (let i = 0; i < 2; i++) {
      runtime.failNext('execSync', new RuntimeError('ExecTimeout', `over after ${i} ms`));
      const message = 'command timed out: "sleep 10" timed out after 2s';
      expect(await attempt(probe)).toEqual({ ok: false, message });
    }
    runtime.failNext('execSync', new RuntimeError('ExecError', 'no such program'));
    expect(await attempt(probe)).toEqual(errored('no such program'));
  });

  it('tell a closed port from an open one', async () => {
    expect(await attempt({ tcpSocket: { port } })).toEqual({ ok: true });
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const refused = { ok: false, message: expect.stringContaining('connection refused') };
    expect(await attempt({ tcpSocket: { port } })).toMatchObject(refused);
    expect(await attempt({ httpGet: { port } })).toMatchObject(refused);
  });
});
