// The real System, as far as it can be seen without changing the host: limits of children, files, namespaces and sockets.
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../test/support/until.ts';
import { createLinuxSystem } from './linux.ts';
import { CommandError } from './system.ts';

const system = createLinuxSystem();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-system-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failure = async (promise: Promise<unknown>): Promise<CommandError> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CommandError);
  return error as CommandError;
};

describe('run', () => {
  it('gives input and takes output', async () => {
    expect(await system.run('cat', [], { input: 'abc' })).toEqual({ stdout: 'abc', stderr: '' });
  });

  it('tells exit code and standard error of a failure', async () => {
    const error = await failure(system.run('sh', ['-c', 'echo why >&2; exit 3']));
    expect(error).toMatchObject({ exitCode: 3, stderr: 'why\n' });
  });

  it('kills a child that takes too long, says too much, or is not wanted any more', async () => {
    const slow = await failure(system.run('sleep', ['60'], { timeoutMs: 20 }));
    expect(slow.message).toContain('did not end within 20 ms');
    const loud = await failure(system.run('cat', ['/dev/zero'], { outputLimitBytes: 1000 }));
    expect(loud.message).toContain('more than 1000 bytes');
    const signal = AbortSignal.abort();
    expect((await failure(system.run('sleep', ['60'], { signal }))).message).toContain('aborted');
  });

  it('waits for no child of a child that it killed', async () => {
    const told = join(folder, 'pid');
    const script = 'sleep 1000 & echo $! > "$0"; wait';
    const enough = new AbortController();
    const { signal } = enough;
    const slow = failure(system.run('sh', ['-c', script, told], { signal, timeoutMs: 120_000 }));
    const held = () => Number(/^\d+(?=\n)/.exec(system.read(told) ?? '')?.[0]);
    await until(() => held() > 0);
    enough.abort();
    expect((await slow).message).toContain('aborted');
    expect(system.kill(held(), 'SIGKILL')).toBe(true);
  });

  it('adds variables to the environment of this process', async () => {
    const { stdout } = await system.run('sh', ['-c', 'echo $MINE ${PATH:+path}'], {
      moreEnv: { MINE: 'm' },
    });
    expect(stdout).toBe('m path\n');
  });

  it('names a program that is not there', async () => {
    expect((await failure(system.run('no-such-program', []))).message).toContain('ENOENT');
  });

  it('survives a child that does not read its input', async () => {
    const input = 'x'.repeat(1_000_000);
    expect(await system.run('true', [], { input })).toMatchObject({ stdout: '' });
  });
});

describe('files and processes', () => {
  it('answers undefined, empty or false for what is not there', () => {
    expect(system.read(join(folder, 'a'))).toBeUndefined();
    expect(system.list(join(folder, 'a'))).toEqual([]);
    expect(system.kill(2 ** 22 - 1, 0)).toBe(false);
    expect(system.processState(2 ** 22 - 1)).toBeUndefined();
    expect(() => system.removeDirectory(join(folder, 'a'))).not.toThrow();
  });

  it('knows its own process', () => {
    expect(system.processState(process.pid)).toMatch(/[RS]/);
    expect(Number(system.processStart(process.pid))).toBeGreaterThan(0);
  });
});

describe('namespaces', () => {
  it('keeps new ones by bind mounts and comes back to its own', async () => {
    const before = { name: hostname(), uts: readlinkSync('/proc/self/ns/uts') };
    system.mount({ source: folder, target: folder, flags: ['bind'] });
    try {
      system.mount({ source: '', target: folder, flags: ['private'] });
      const uts = join(folder, 'uts');
      system.makeNamespaces({ uts, hostname: 'inside' });
      const { stdout } = await system.run('nsenter', [`--uts=${uts}`, 'hostname']);
      expect(stdout.trim()).toBe('inside');
      expect({ name: hostname(), uts: readlinkSync('/proc/self/ns/uts') }).toEqual(before);
      system.unmount(uts);
    } finally {
      system.unmount(folder);
    }
    expect(system.mounts().filter((mount) => mount.mountPoint.startsWith(folder))).toEqual([]);
  });

  it('connects by way of a network namespace file', async () => {
    const server = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const path = '/proc/self/ns/net';
    const where = { host: '127.0.0.1', port };
    const socket = await system.connectInNamespace(path, where, { timeoutMs: 60_000 });
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toBe('hello');
    // Half open: this side may still speak, and ends on its own.
    expect(socket.writable).toBe(true);
    socket.end();
    await new Promise((resolve) => server.close(resolve));
    const refused = system.connectInNamespace(path, where, { timeoutMs: 60_000 });
    await expect(refused).rejects.toThrow('ECONNREFUSED');
  });
});

describe('packet sockets', () => {
  it('refuse a path that a socket address cannot hold', () => {
    writeFileSync(join(folder, 'x'), '');
    expect(() => system.connectPackets(`/${'x'.repeat(108)}`)).toThrow('longer than 107 bytes');
    expect(() => system.connectPackets(join(folder, 'x'))).toThrow('ECONNREFUSED');
  });
});
