// What runc, conmon and a routed link need on this host without our code: the floor under every figure of pods.
// Invariant: each container is made as the agent makes one (namespace, link, overlay, conmon with runc), and nothing of it stays.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { createLinuxSystem } from '../../system/linux.ts';

const system = createLinuxSystem();
const KIND = 'pinnacebench';
const RUNC = ['/usr/sbin/runc', '/usr/bin/runc'].find((path) => existsSync(path)) ?? 'runc';

/** A container to be: its number tells its address and names. */
interface Raw {
  readonly name: string;
  readonly address: string;
  readonly folder: string;
  readonly image: string;
}

/** Milliseconds that each of so many starts took, one after the other. `image` is a directory with a root file system. */
export async function rawStarts(
  folder: string,
  image: string,
  count: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const name = `${KIND}${i}`;
    const raw = { name, address: `172.31.77.${i + 2}`, folder: join(folder, name), image };
    for (const sub of ['m', 'u', 'w', 'p']) mkdirSync(join(raw.folder, sub), { recursive: true });
    writeFileSync(join(raw.folder, 'config.json'), JSON.stringify(specOf(raw)));
    try {
      const startedAt = performance.now();
      const conmon = await start(raw);
      times.push(performance.now() - startedAt);
      await end(raw, conmon);
    } finally {
      await sweep(raw);
    }
  }
  return times;
}

async function start(raw: Raw): Promise<ChildProcess> {
  const { name, address, folder, image } = raw;
  const link = `netns add ${name}\nlink add ${name} type veth peer name eth0 netns ${name}\nlink set ${name} up\n`;
  await system.run('ip', ['-batch', '-'], { input: link });
  const inside = `link set lo up\naddress add ${address}/32 dev eth0\nlink set eth0 up\n`;
  await system.run('ip', ['-n', name, '-batch', '-'], { input: inside });
  await system.run('ip', ['route', 'replace', `${address}/32`, 'dev', name]);
  system.mount({
    source: 'overlay',
    target: join(folder, 'm'),
    type: 'overlay',
    data: `lowerdir=${image},upperdir=${join(folder, 'u')},workdir=${join(folder, 'w')}`,
  });
  const conmon = await create(raw);
  await system.run('runc', ['--root', join(folder, 'r'), 'start', name]);
  return conmon;
}

async function create({ name, folder }: Raw): Promise<ChildProcess> {
  const at = (path: string) => join(folder, path);
  const paths = ['-b', folder, '-p', at('pid'), '-l', `k8s-file:${at('log')}`];
  const state = ['--exit-dir', folder, '--persist-dir', at('p'), '--socket-dir-path', folder];
  const runtime = ['-r', RUNC, `--runtime-arg=--root=${at('r')}`];
  const args = ['--no-sync-log', '--api-version', '1', '-c', name, '-u', name, '-n', name];
  const conmon = spawn('conmon', [...args, ...runtime, ...paths, ...state], {
    detached: true,
    env: { PATH: process.env['PATH'], _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4' },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  (conmon.stdio[4] as Writable).write('\0');
  const [line] = (await once(createInterface(conmon.stdio[3] as Readable), 'line')) as [string];
  const { data, message } = JSON.parse(line) as { data: number; message?: string };
  if (data <= 0) throw new Error(`conmon: ${message}`);
  return conmon;
}

async function end({ folder }: Raw, conmon: ChildProcess): Promise<void> {
  const ended = once(conmon, 'close');
  system.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
  await ended;
}

async function sweep({ name, folder }: Raw): Promise<void> {
  const quietly = (command: string, args: readonly string[]) =>
    system.run(command, args).catch(() => undefined);
  await quietly('runc', ['--root', join(folder, 'r'), 'delete', '-f', name]);
  system.unmount(join(folder, 'm'));
  await quietly('ip', ['link', 'delete', name]);
  await quietly('ip', ['netns', 'delete', name]);
}

const mount = (type: string, destination: string) => ({ destination, type, source: type });

function specOf({ name }: Raw): object {
  const namespaces = ['pid', 'mount', 'uts', 'ipc'].map((type) => ({ type }));
  return {
    ociVersion: '1.0.2',
    root: { path: 'm' },
    process: {
      cwd: '/',
      args: ['/bin/sleep', '3600'],
      env: ['PATH=/bin'],
      user: { uid: 0, gid: 0 },
      noNewPrivileges: true,
    },
    mounts: [mount('proc', '/proc'), mount('tmpfs', '/dev')],
    linux: {
      cgroupsPath: `/${name}`,
      namespaces: [...namespaces, { type: 'network', path: `/var/run/netns/${name}` }],
      resources: { memory: { limit: 64 << 20 }, cpu: { shares: 10 } },
    },
  };
}
