// `pinnace image` as it is typed: every command of docs/guide/images.md in its order, JSON for scripts, passwords from standard input, and
// what is wrong said in one line.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { buildImage } from '../../kubelet/images/build.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import { createOciRuntime } from '../../kubelet/runtime/oci/oci-runtime.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { startRegistry, type TestRegistry } from '../support/docker-registry.ts';
import { imageScene } from '../support/image-scene.ts';
import { shellFiles } from '../support/oci-host.ts';
import { runPinnace } from '../support/pinnace.ts';
import { aContainer, aSandbox } from '../support/runtime-configs.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs/guide/images.md');
const NAMED = '127.0.0.1:5000';

let folder: string;
let registry: TestRegistry;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-image-command-'));
  const dir = join(folder, 'data', 'images');
  const store = createImageStore({ system: createLinuxSystem(), dir, logger: silentLogger });
  const files = [{ content: 'payment', target: '/app' }];
  await buildImage(store, { name: 'shop/payment:1', layers: [{ files }], config: {} });
  registry = await startRegistry();
});
afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

const run = (args: readonly string[], input?: string) => {
  const [first = '', ...rest] = args;
  const at = ['--data-dir', join(folder, 'data')];
  return runPinnace(['image', first, ...at, ...rest], input === undefined ? {} : { input });
};
const lines = (text: string) => text.trim().split('\n');

describe('the guide to images', () => {
  it('says commands that work, in their order, and an image that went through a registry and a file is the same', async () => {
    const block = /```sh\n([^`]*)```/.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
    const typed = lines(block);
    expect(typed.length).toBeGreaterThan(8);
    const outputs = new Map<string, string>();
    // The shop's images hold a whole Node; one of their name stands for them here, and the demo builds them.
    for (const line of typed.filter((each) => !each.endsWith('build-shop'))) {
      const words = line
        .replace('npx pinnace image ', '')
        .replaceAll(NAMED, registry.host)
        .split(' ');
      const args = words.map((word) => (word === 'payment.tar' ? join(folder, word) : word));
      const { code, stdout, stderr } = await run(args);
      expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: '' });
      outputs.set(words[0] === 'ls' ? line : (words[0] ?? ''), stdout);
    }
    const digest = /^pushed \S+ (sha256:\w+)\n$/.exec(outputs.get('push') ?? '')?.[1];
    expect(outputs.get('pull')).toBe(`pulled ${registry.host}/shop/payment:1 ${digest}\n`);
    const [inspected] = JSON.parse(outputs.get('inspect') ?? '[]') as [{ manifestDigest: string }];
    expect(inspected.manifestDigest).toBe(digest);
    expect(outputs.get('history')).toMatch(/^LAYER +CREATED +SIZE +CREATED BY\nsha256:/);
    const images = JSON.parse(outputs.get('npx pinnace image ls -o json') ?? '[]') as {
      names: string[];
    }[];
    expect(images.flatMap(({ names }) => names)).toContain(`${registry.host}/shop/payment:1`);
    expect(outputs.get('prune')).toMatch(/^freed \d+\.\d MB\n$/);
  });

  it('has settings that are taken as they stand there', async () => {
    const settings = /```json\n([^`]*)```/.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
    const file = join(folder, 'registries.json');
    writeFileSync(file, settings);
    for (const name of ['cache-ca.pem', 'ca.pem', 'node.pem', 'node-key.pem'])
      writeFileSync(join(folder, name), '-----BEGIN CERTIFICATE-----\n');
    const { code, stderr } = await run(['pull', '--registries', file, 'nowhere.invalid/x:1']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: nowhere.invalid/x:1: the settings allow no access to its registry\n',
    });
  });
});

describe('pinnace image prune --all', () => {
  it('keeps the images that containers are made from, and no others, whatever layers they share', async () => {
    const system = createLinuxSystem();
    const data = join(folder, 'pruned');
    const images = createImageStore({ system, dir: join(data, 'images'), logger: silentLogger });
    const shell = { files: await shellFiles(system) };
    const more = { files: [{ content: 'more', target: '/more' }] };
    const config = { Cmd: ['/bin/sh'] };
    await buildImage(images, { name: 'base:1', layers: [shell], config });
    await buildImage(images, { name: 'twin:1', layers: [shell, more], config: { Cmd: ['/more'] } });
    const used = await buildImage(images, { name: 'used:1', layers: [shell, more], config });
    const doors = { system, clock: systemClock, logger: silentLogger, images };
    const clusterId = `prune${process.pid}`;
    const stateDir = join(data, 'node', 'runtime');
    const runtime = createOciRuntime({ ...doors, stateDir, clusterId });
    await runtime.recover();
    try {
      const sandbox = aSandbox('a', { hostNetwork: true });
      const sandboxId = await runtime.runSandbox(sandbox);
      const logPath = join(folder, 'pruned.log');
      const container = { name: 'main', imageId: used.id, command: ['/bin/sh'], logPath };
      await runtime.createContainer(sandboxId, sandbox, aContainer(container));
      const args = ['image', 'prune', '--all', '--data-dir', data];
      expect(await runPinnace(args)).toMatchObject({ code: 0, stderr: '' });
      expect((await images.list()).map(({ names }) => names)).toEqual([
        ['docker.io/library/used:1'],
      ]);
    } finally {
      await runtime.destroyAll();
    }
    expect(await runPinnace(['image', 'prune', '--all', '--data-dir', data])).toMatchObject({
      code: 0,
    });
    expect(await images.list()).toEqual([]);
  });
});

describe('pinnace image', () => {
  it('reads a password from standard input, and says in one line who is not let in', async () => {
    const closed = await startRegistry({ basic: true });
    const scene = imageScene();
    const name = `${closed.host}/shop/private:1`;
    await scene.build(name);
    await scene.push(name, { credential: { username: 'shop', password: 'sesame' } });
    const denied = await run(['pull', name]);
    expect(denied.code).toBe(1);
    expect(denied.stderr).toMatch(/^error: [^\n]*access is denied[^\n]*\n$/);
    const args = ['pull', '--username', 'shop', '--password-stdin', name];
    expect(await run(args, 'sesame\n')).toMatchObject({ code: 0, stderr: '' });
    expect((await run(['pull', '--creds', 'shop:sesame', '-q', name])).code).toBe(0);
    scene.dispose();
    await closed.stop();
  });

  it.each([
    [['pull', 'UPPER'], /must be lowercase/],
    [['pull', '--username', 'nobody', 'x'], /--username and --password-stdin go together/],
    [['pull', '--registries', '/nowhere.json', 'x'], /\/nowhere.json cannot be read/],
    [['save', 'nobody/has:this', '-o', '/nowhere/x.tar'], /there is no image|no such file/],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(lines(stderr)).toHaveLength(1);
  });
});
