// What `pinnace up` and `down` say and leave when something is in the way.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aTestPlace, startTestCluster, type TestPlace } from '../support/cluster.ts';
import { shellPod } from '../clients/objects.ts';

let place: TestPlace;
beforeEach(() => {
  place = aTestPlace();
});
afterEach(() => place.dispose());

const refused = async (...args: string[]) => {
  const { code, stderr } = await place.pinnace(['up', ...args]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  return stderr;
};

describe('pinnace up', () => {
  it('names a port in use and the way out', async () => {
    const holder = place.host.start(process.execPath, [
      '-e',
      "require('node:net').createServer().listen(7443, '127.0.0.1', () => console.log('on'))",
    ]);
    await new Promise((resolve) => holder.stdout?.once('data', resolve));
    const said = await refused('--no-node', '--port', '7443', '--data-dir', place.dataDir);
    holder.kill();
    expect(said).toMatch(/port 7443 .*EADDRINUSE.*--port/);
  });

  it('names a data directory that is a file', async () => {
    const path = join(place.dataDir, 'file');
    writeFileSync(path, '');
    const said = await refused('--no-node', '--port', '0', '--data-dir', path);
    expect(said).toContain(`cannot write to the data directory ${path}`);
  });

  it('names a program that is missing, and the package to install', async () => {
    const bin = join(place.dataDir, 'bin');
    mkdirSync(bin);
    const { code, stderr } = await place.pinnace(
      ['up', '--port', '0', '--data-dir', place.dataDir],
      {
        env: { PATH: bin },
      },
    );
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^error: [^\n]*conmon[^\n]*apt-get install[^\n]*\n$/);
  });
});

describe('a cluster that is up', () => {
  it('keeps its data directory to itself', async () => {
    const cluster = await startTestCluster({ node: false });
    const { code, stderr } = await cluster.pinnace([
      'up',
      '--no-node',
      '--data-dir',
      cluster.dataDir,
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/is in use by process \d+; stop it with "pinnace down/);
    await cluster.stop();
  });

  it('has its lone control plane started again when that is killed', async () => {
    const cluster = await startTestCluster({ node: false });
    const pid = cluster.pidOf('control-plane');
    process.kill(pid ?? 0, 'SIGKILL');
    await expect
      .poll(() => cluster.kubectl.run(['get', '--raw', '/readyz']), { timeout: 20_000 })
      .toMatchObject({ stdout: 'ok' });
    expect(cluster.pidOf('control-plane')).not.toBe(pid);
    await cluster.stop();
  });

  it('is cleaned up by down after kill -9 of its supervisor', async () => {
    const cluster = await startTestCluster({ node: true });
    try {
      await cluster.kubectl.apply(shellPod('sleeper', 'sleep 1000'));
      await cluster.kubectl.wait('--for=condition=Ready', 'pod/sleeper');
      process.kill(cluster.pid, 'SIGKILL');
      const { code, stderr } = await cluster.pinnace(['down', '--data-dir', cluster.dataDir]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(await cluster.left()).toEqual([]);
    } finally {
      await cluster.dispose();
    }
  });
});
