// Volumes of NFS servers, with a double of the mount program, which mounts a folder of this host in their place; and the words that a
// host without NFS has for it. No real server was ever asked.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { systemRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { CommandError, type RunOptions, type System } from '../../system/system.ts';
import { until } from '../../test/support/until.ts';
import { DiskVolumes, unmountVolumes } from './disk-volumes.ts';
import { ANSWER_MS } from './host-places.ts';
import { PodVolumes } from './pod-volumes.ts';

const real = createLinuxSystem();
const at = { podUid: 'one', volume: 'v' };
const source = { server: 'files', path: '/srv', readOnly: false, options: [] };

let folder: string;
let share: string;
let clock: VirtualClock;
/** Command lines of the mount program, and of modprobe. */
let commands: string[];
/** What the mount program does; unless given, it mounts. */
let mountProgram: (args: readonly string[], options: RunOptions) => Promise<void>;
let hasHelper: boolean;
let fileSystems: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'pinnace-nfs-')));
  share = join(folder, 'share');
  mkdirSync(join(share, 'part'), { recursive: true });
  writeFileSync(join(share, 'file'), 'precious');
  clock = new VirtualClock();
  commands = [];
  hasHelper = true;
  fileSystems = 'nodev\tsysfs\n\text4\nnodev\tnfs\nnodev\tnfs4\n';
  mountProgram = async (args) =>
    real.mount({ source: share, target: args.at(-1) ?? '', flags: ['bind'] });
});
afterEach(() => {
  unmountVolumes(real, join(folder, 'pods'));
  rmSync(folder, { recursive: true, force: true });
});

const doubled = (): System => ({
  ...real,
  read: (path) => (path === '/proc/filesystems' ? fileSystems : real.read(path)),
  exists: (path) => (path.endsWith('/mount.nfs') ? hasHelper : real.exists(path)),
  async run(command, args = [], options = {}) {
    if (command !== 'mount' && command !== 'modprobe') return real.run(command, args, options);
    commands.push([command, ...args].join(' '));
    if (command === 'mount') await mountProgram(args, options);
    return { stdout: '', stderr: '' };
  },
});

/** An agent's volumes; each call is another agent. */
function anAgent(system = doubled()): DiskVolumes {
  const volumes = new DiskVolumes({
    system,
    clock,
    random: systemRandom,
    root: join(folder, 'pods'),
  });
  volumes.prepare();
  return volumes;
}

const mounted = () =>
  real.mounts().filter(({ mountPoint }) => mountPoint.startsWith(`${folder}/pods/`)).length;

describe('a volume of an NFS server', () => {
  it('is mounted for its pod with the options that are asked for, once, also by an agent that comes after', async () => {
    const options = ['vers=4.1', 'hard'];
    const path = await anAgent().nfs(at, { ...source, readOnly: true, options });
    expect(commands).toEqual([`mount -t nfs -o vers=4.1,hard,ro -- files:/srv ${path}`]);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('precious');
    const next = anAgent();
    expect(await next.nfs(at, source)).toBe(path);
    expect(commands.length).toBe(1);
    expect(next.podUids()).toEqual(['one']);
  });

  it('goes with its pod, and nothing of the server with it, whoever has mounted it', async () => {
    const before = anAgent();
    const path = await before.nfs(at, source);
    await before.subPath({ podUid: 'one', container: 'c', index: 0, root: path, inside: 'part' });
    await before.answers('one', path);
    const after = anAgent();
    await after.remove('one');
    expect(mounted()).toBe(0);
    expect(after.podUids()).toEqual([]);
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(join(share, 'file'), 'utf8')).toBe('precious');
  });

  it('is no option of the mount program, whatever its name begins with', async () => {
    // As a table of mounts, in which the host's files are given to the pod.
    const table = join(folder, 'table');
    mkdirSync(`${table}:`);
    const target = join(folder, 'pods', '.nfs', 'one', 'v');
    writeFileSync(join(`${table}:`, 'x'), `${share} ${target} none bind 0 0\n`);
    mountProgram = async (args, options) => void (await real.run('mount', args, options));
    const asked = anAgent().nfs(at, { ...source, server: `-T${table}`, path: '/x' });
    await expect(asked).rejects.toThrow('mount failed: exit status 32');
    expect(mounted()).toBe(0);
  });

  it('has an address of six parts in brackets', async () => {
    await anAgent().nfs(at, { ...source, server: 'fd00::1' });
    expect(commands[0]).toMatch(/ \[fd00::1\]:\/srv /);
  });

  it('whose server refuses is told of as upstream does', async () => {
    mountProgram = () => {
      const failure = { exitCode: 32, stderr: 'mount.nfs: access denied by server\n' };
      return Promise.reject(new CommandError('mount', failure));
    };
    const target = join(folder, 'pods', '.nfs', 'one', 'v');
    await expect(anAgent().nfs(at, source)).rejects.toThrow(
      `mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs files:/srv ${target}\nOutput: mount.nfs: access denied by server`,
    );
  });

  it('whose server is silent holds up its pod alone, and is not mounted once that has gone', async () => {
    // It is killed when it is through.
    mountProgram = (args, { signal }) =>
      new Promise((_, reject) => {
        const target = args.at(-1) ?? '';
        const late = () => {
          real.mount({ source: share, target, flags: ['bind'] });
          reject(new CommandError('mount', { stderr: '', why: 'killed' }));
        };
        signal?.addEventListener('abort', late, { once: true });
      });
    const volumes = anAgent();
    const waits = volumes.nfs(at, source);
    const told = expect(waits).rejects.toThrow(
      'files:/srv is still being mounted: the server does not answer',
    );
    await until(() => commands.length === 1);
    // Others of the same file system of the host go on.
    await volumes.hostPath(folder, 'Directory', { podUid: 'two', volume: 'v' });
    await clock.advance(ANSWER_MS);
    await told;
    await volumes.remove('one');
    expect(mounted()).toBe(0);
    expect(volumes.podUids()).toEqual([]);
    expect(readFileSync(join(share, 'file'), 'utf8')).toBe('precious');
  });
});

describe('a host that cannot', () => {
  it('says that its kernel has no NFS, once no module was found', async () => {
    fileSystems = 'nodev\tsysfs\nnodev\tnfsd\n';
    await expect(anAgent().nfs(at, source)).rejects.toThrow(
      /^this node's kernel has no NFS client/,
    );
    expect(commands).toEqual(['modprobe nfs']);
  });

  it('says which package it lacks', async () => {
    hasHelper = false;
    await expect(anAgent().nfs(at, source)).rejects.toThrow(
      'this node has no mount.nfs: install the package nfs-common (nfs-utils on Fedora and its kin)',
    );
    expect(commands).toEqual([]);
  });

  it.skipIf(/\bnfs4?$/m.test(real.read('/proc/filesystems') ?? ''))(
    'says so for real',
    async () => {
      await expect(anAgent(real).nfs(at, source)).rejects.toThrow(/^this node/);
    },
  );
});

describe('what a pod says of an NFS server', () => {
  const nfs = { server: 'files', path: '/srv', readOnly: true };
  const claimed = (readOnly: boolean) => ({ persistentVolumeClaim: { claimName: 'c', readOnly } });
  const mountOptions = ['vers=4.1'];
  const volumeOf = (spec: object) =>
    ({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' }, spec }) as never;

  it.each([
    ['itself', { nfs: { server: 'files', path: '/srv' } }, {}, '-- files:/srv'],
    ['itself, to be read', { nfs }, {}, '-o ro -- files:/srv'],
    ['by a claim', claimed(false), { nfs: { ...nfs, readOnly: false } }, '-- files:/srv'],
    [
      'by a claim to be read',
      claimed(true),
      { nfs: { ...nfs, readOnly: false } },
      '-o ro -- files:/srv',
    ],
    [
      'by a volume with options',
      claimed(false),
      { nfs, mountOptions },
      '-o vers=4.1,ro -- files:/srv',
    ],
  ])('%s, is how it is mounted', async (...[, volume, spec, asked]) => {
    const volumes = new PodVolumes({
      files: anAgent(),
      sources: {} as never,
      tokens: {} as never,
      claims: { volumeOf: async () => volumeOf(spec) } as never,
    });
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', uid: 'one' },
      spec: { containers: [], volumes: [{ name: 'v', ...volume }] },
    } as Pod;
    const path = (await volumes.prepare(pod, {} as never)).get('v');
    expect(commands).toEqual([`mount -t nfs ${asked} ${path}`]);
  });
});
