// Network namespaces and their links on this host's kernel, within a namespace of the test's own.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLinuxSystem } from './linux.ts';
import { NativeError } from './native-library.ts';

const system = createLinuxSystem();
const own = `pinnace-test-${process.pid}`;
const path = `/run/netns/${own}`;
const link = {
  name: `pt${process.pid}`.slice(0, 15),
  mac: '02:50:ac:1f:4d:05',
  address: '172.31.77.5',
  source: '172.31.77.1',
  gateway: '169.254.1.1',
};
const ip = (...args: string[]) => spawnSync('ip', args, { encoding: 'utf8' }).stdout;
const inside = (...args: string[]) => ip('-n', own, '-oneline', ...args);

beforeEach(() => {
  ip('address', 'add', `${link.source}/32`, 'dev', 'lo');
  system.makeNetwork(path);
});
afterEach(async () => {
  await system.deleteLink(link.name);
  system.removeNetwork(path);
  ip('address', 'delete', `${link.source}/32`, 'dev', 'lo');
});

describe('a network namespace', () => {
  it('is another one, known to ip, and gone when it is removed', () => {
    expect(ip('netns', 'list')).toContain(own);
    expect(inside('link')).toMatch(/^1: lo: [^\n]*\n$/);
    system.removeNetwork(path);
    expect(existsSync(path)).toBe(false);
    expect(system.mounts().some(({ mountPoint }) => mountPoint === path)).toBe(false);
    system.removeNetwork(path);
  });

  it('is not made where there is one', () => {
    expect(() => system.makeNetwork(path)).toThrow('EEXIST');
    expect(inside('link')).toContain('lo');
  });
});

describe('a routed link', () => {
  it('leads both ways at once, and from the namespace on by the gateway', async () => {
    await system.makeRoutedLink(path, link);
    expect(inside('link', 'show', 'up')).toMatch(/: lo: [^]*: eth0@/);
    expect(inside('-4', 'address', 'show', 'dev', 'eth0')).toContain(
      'inet 172.31.77.5/32 scope global',
    );
    expect(inside('route', 'show')).toBe(
      'default via 169.254.1.1 dev eth0 \n169.254.1.1 dev eth0 scope link \n',
    );
    expect(inside('neigh')).toContain(`169.254.1.1 dev eth0 lladdr ${link.mac} PERMANENT`);
    expect(ip('-oneline', 'link', 'show', link.name)).toContain(link.mac);
    expect(ip('route', 'show', link.address)).toBe(
      `172.31.77.5 dev ${link.name} scope link src 172.31.77.1 \n`,
    );
    const there = await system
      .connectInNamespace(path, { host: link.source, port: 9 }, { timeoutMs: 60_000 })
      .catch((error: unknown) => error);
    // Nobody listens, which the host's own answer says.
    expect(there).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('goes with its other end and its route, and may be missing', async () => {
    await system.makeRoutedLink(path, link);
    await system.deleteLink(link.name);
    expect(inside('link')).not.toContain('eth0');
    expect(ip('route', 'show', link.address)).toBe('');
    await system.deleteLink(link.name);
  });

  it('is removed with as many others as are asked for at once, however few calls go on together', async () => {
    await system.makeRoutedLink(path, link);
    const names = Array.from({ length: 400 }, (_, i) => `pt-none-${i}`);
    await Promise.all([...names, link.name].map((name) => system.deleteLink(name)));
    expect(inside('link')).not.toContain('eth0');
  });

  it('is refused where its name is taken, in words that say what was to be done', async () => {
    await system.makeRoutedLink(path, link);
    const refused = await system.makeRoutedLink(path, link).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NativeError);
    expect(refused).toMatchObject({ code: 'EEXIST', message: `link add ${link.name}: EEXIST` });
  });

  it('tells the step that failed', async () => {
    // An address that this host does not have.
    const failed = system.makeRoutedLink(path, { ...link, source: '172.31.77.99' });
    await expect(failed).rejects.toThrow(`route add ${link.address}: EINVAL`);
  });
});
