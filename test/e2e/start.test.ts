// What `pinnace up` and `down` say and leave when something is in the way.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aTestPlace, startTestCluster, type TestPlace } from '../support/cluster.ts';
import { shellPod } from '../clients/objects.ts';
import { KUBECTL } from '../support/kubectl.ts';

const README = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
const WRAPPER = join(import.meta.dirname, '..', '..', 'cli', 'pinnace.mjs');

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

  it('leaves a kubeconfig alone that leads to other clusters', async () => {
    const path = join(place.dataDir, 'mine');
    const clusters = [{ name: 'prod', cluster: { server: 'https://prod:6443' } }];
    const mine = JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters });
    writeFileSync(path, mine);
    const dataDir = join(place.dataDir, 'data');
    const where = ['--no-node', '--port', '0', '--data-dir', dataDir];
    const said = await refused(...where, '--kubeconfig', path);
    expect(said).toContain('leads to other clusters (prod)');
    expect(readFileSync(path, 'utf8')).toBe(mine);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('names what is wrong with an admission configuration', async () => {
    const file = join(place.dataDir, 'admission.yaml');
    writeFileSync(file, 'kind: AdmissionConfiguration\n');
    const dataDir = join(place.dataDir, 'data');
    const where = ['--no-node', '--port', '0', '--data-dir', dataDir];
    const said = await refused(...where, '--admission-control-config-file', file);
    expect(said).toContain(`--admission-control-config-file ${file}: the file is of kind`);
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

describe('the README', () => {
  it('leads to a node that is ready, whatever time it takes', async () => {
    const [, typed = ''] =
      /^Start a cluster in the background.*?```\n(.*?)^```$/ms.exec(README) ?? [];
    const commands = typed
      .replaceAll('npx pinnace', `${process.execPath} ${WRAPPER}`)
      .replaceAll('~/.pinnace', place.dataDir)
      .replaceAll('--detach', '--detach --port 0')
      .replaceAll(/^kubectl /gm, `${KUBECTL} `);
    const said = await place.host.run('/bin/sh', ['-ec', commands], {
      env: {
        PINNACE_DATA_DIR: place.dataDir,
        HOME: place.dataDir,
        PATH: process.env['PATH'] ?? '',
      },
      timeoutMs: 200_000,
    });
    expect(said).toMatchObject({ code: 0 });
    expect(said.stdout).toMatch(/^NAME +STATUS .*\n\S+ +Ready +/m);
  }, 300_000);
});

describe('pinnace up on a directory of before', () => {
  const up = (...more: string[]) =>
    place.pinnace([
      'up',
      '--detach',
      '--no-node',
      '--port',
      '0',
      '--data-dir',
      place.dataDir,
      ...more,
    ]);
  const down = () => place.pinnace(['down', '--data-dir', place.dataDir]);
  const inPki = (name: string) => join(place.dataDir, 'pki', name);
  const upAndDown = async () => {
    expect((await up()).code).toBe(0);
    expect((await down()).code).toBe(0);
  };

  it('has one of two that start at once', async () => {
    const both = await Promise.all([up(), up()]);
    expect(both.filter(({ code }) => code === 0)).toHaveLength(1);
    const { stderr } = both.find(({ code }) => code === 1) ?? {};
    expect(stderr).toMatch(/is in use by process \d+/);
    expect(await down()).toMatchObject({ code: 0, stderr: '' });
    expect((await up()).code).toBe(0);
    expect((await down()).code).toBe(0);
  });

  it('makes a certificate anew whose key is another one’s, or that cannot be read', async () => {
    await upAndDown();
    writeFileSync(inPki('apiserver.key'), readFileSync(inPki('admin.key')));
    writeFileSync(inPki('admin.crt'), 'odd');
    await upAndDown();
    expect(readFileSync(inPki('admin.crt'), 'utf8')).toMatch(/BEGIN CERTIFICATE/);
  });

  it.each([
    ['pki/ca.crt', 'odd', /ca\.crt and its key cannot be read.*restore them/],
    ['cluster.json', '{}', /cluster\.json cannot be read \(it has no right id\)/],
    ['cluster.json', 'odd', /cluster\.json cannot be read/],
  ])('says that %s of %s is no good', async (name, text, said) => {
    await upAndDown();
    writeFileSync(join(place.dataDir, name), text);
    const where = ['--no-node', '--port', '0', '--data-dir', place.dataDir];
    expect(await refused(...where)).toMatch(said);
  });

  it('says that a kubeconfig cannot be written', async () => {
    const path = join(place.dataDir, 'no', 'folder');
    const where = ['--no-node', '--port', '0', '--data-dir', place.dataDir];
    expect(await refused(...where, '--kubeconfig', path)).toMatch(/cannot write .*no\/folder/);
    await upAndDown();
  });

  it('gives up on a control plane that can never serve, and says where to look', async () => {
    await upAndDown();
    for (const file of readdirSync(join(place.dataDir, 'store')))
      if (file.endsWith('.mdb')) writeFileSync(join(place.dataDir, 'store', file), 'odd');
    const where = ['--no-node', '--port', '0', '--data-dir', place.dataDir];
    expect(await refused(...where)).toMatch(/control-plane.*log/);
    expect((await down()).code).toBe(0);
  });
});

describe('pinnace up --port', () => {
  it('refuses what is no port', async () => {
    for (const port of ['', 'x', '-1', '65536', '1.5'])
      expect(
        await place.pinnace(['up', '--no-node', `--port=${port}`, '--data-dir', place.dataDir]),
      ).toMatchObject({ code: 2, stderr: expect.stringContaining('a port is') as string });
  });

  it('keeps a port that was named, and forgets one that 0 picked', async () => {
    const at = ['--data-dir', place.dataDir];
    const up = async (...args: string[]) => {
      const { stdout } = await place.pinnace(['up', '--no-node', '--detach', ...at, ...args]);
      expect(stdout).toContain(`\nnpx pinnace down --data-dir ${place.dataDir} stops it.\n`);
      expect(stdout).not.toContain('shop');
      expect((await place.pinnace(['down', ...at])).code).toBe(0);
      return /is up at https:\/\/127\.0\.0\.1:(\d+) /.exec(stdout)?.[1];
    };
    expect(await up('--port', '0')).not.toBe('6443');
    expect(await up()).toBe('6443');
    expect(await up('--port', '7443')).toBe('7443');
    expect(await up()).toBe('7443');
  });

  it('detaches from whoever started it, with an IPC channel too, which it says nothing over', async () => {
    const at = ['--data-dir', place.dataDir];
    const script = `
      const { fork } = require('node:child_process');
      const child = fork(process.argv[1], process.argv.slice(2), { silent: true });
      child.stdout.pipe(process.stdout);
      child.on('message', () => console.log('told by IPC'));
      child.on('close', (code) => console.log('ended with', code));`;
    const args = ['-e', script, WRAPPER, 'up', '--no-node', '--detach', '--port', '0', ...at];
    const { stdout } = await place.host.run(process.execPath, args);
    expect(stdout).toMatch(/^Pinnace is up at /);
    expect(stdout).toMatch(/\nended with 0\n$/);
    expect(stdout).not.toContain('told by IPC');
    expect((await place.pinnace(['down', ...at])).code).toBe(0);
  });

  it('is told with its default', async () => {
    const { stdout } = await place.pinnace(['up', '--help']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/--port <n> .*6443.*0 picks a free one/);
  });
});

describe('pinnace image', () => {
  it('lists and removes nothing where there is no data directory, and makes none', async () => {
    const nowhere = join(place.dataDir, 'nowhere');
    for (const args of [['ls'], ['rm', 'x']]) {
      const { code, stderr } = await place.pinnace(['image', ...args, '--data-dir', nowhere]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: there is no data directory [^\n]*--data-dir[^\n]*\n$/);
    }
    expect(existsSync(nowhere)).toBe(false);
    expect((await place.pinnace(['image', 'ls', '--data-dir', place.dataDir])).stdout).toBe(
      'NAME   ID   SIZE\n',
    );
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
    expect(stderr).toMatch(/is in use by process \d+; stop it with "npx pinnace down --data-dir/);
    await cluster.stop();
  });

  it('has its lone control plane started again when that is killed', async () => {
    const cluster = await startTestCluster({ node: false });
    const pid = cluster.pidOf('control-plane');
    process.kill(pid ?? Number.NaN, 'SIGKILL');
    await expect
      .poll(() => cluster.kubectl.run(['get', '--raw', '/readyz']), { timeout: 60_000 })
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
