// Tests of volumes on disk that need mounts: what is another's stays whole, whatever the folder is called, and after an agent that died.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { DiskVolumes, unmountVolumes } from './disk-volumes.ts';

const system = createLinuxSystem();
const part = { podUid: 'one', container: 'app', index: 0 };
let folder: string;
let root: string;
let host: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'pinnace-disk-')));
  root = join(folder, 'pods');
  host = join(folder, 'host');
  mkdirSync(join(host, 'kept'), { recursive: true });
  writeFileSync(join(host, 'kept', 'file'), 'precious');
});
afterEach(() => {
  unmountVolumes(system, root);
  rmSync(folder, { recursive: true, force: true });
});

/** An agent's volumes; each call is another agent. Its time stands still: paths have as long to answer as they need. */
function anAgent(at = root): DiskVolumes {
  const clock = new VirtualClock();
  const volumes = new DiskVolumes({ system, clock, random: systemRandom, root: at });
  volumes.prepare();
  return volumes;
}

const mountsBelow = () =>
  system.mounts().filter(({ mountPoint }) => mountPoint.startsWith(`${folder}/`));
const inMemory = { inMemory: true, sizeBytes: 2 ** 20, group: undefined };
const onDisk = { inMemory: false, sizeBytes: 0, group: undefined };

describe('the list of mounts', () => {
  it('is read once for an agent, and once for each pod that goes, whatever it had', async () => {
    const before = anAgent();
    const kept = before.emptyDir({ podUid: 'one', volume: 'kept' }, inMemory);
    writeFileSync(join(kept, 'file'), 'kept');
    let reads = 0;
    const mounts = () => {
      reads += 1;
      return system.mounts();
    };
    const doors = { system: { ...system, mounts }, clock: systemClock, random: systemRandom };
    const volumes = new DiskVolumes({ ...doors, root });
    volumes.prepare();
    volumes.emptyDir({ podUid: 'one', volume: 'kept' }, inMemory);
    for (const volume of ['a', 'b']) volumes.emptyDir({ podUid: 'one', volume }, inMemory);
    expect([reads, mountsBelow().length]).toEqual([1, 3]);
    expect(readFileSync(join(kept, 'file'), 'utf8')).toBe('kept');
    await volumes.remove('one');
    expect([reads, mountsBelow().length]).toEqual([2, 0]);
    // The same pod again, as a file's may come.
    volumes.emptyDir({ podUid: 'one', volume: 'kept' }, inMemory);
    expect(mountsBelow()).toHaveLength(1);
  });
});

describe('files that a volume shows', () => {
  const at = { podUid: 'one', volume: 'files' };
  const how = { secret: false, group: undefined };
  const file = (text: string) => [{ path: 'a', content: Buffer.from(text), mode: 0o644 }];
  const clock = new VirtualClock();
  const again = () => new DiskVolumes({ system, clock, random: systemRandom, root });

  it('are left alone with each step of a start, and made whole by the next look', async () => {
    const volumes = again();
    const shown = join(volumes.write(at, file('one'), how), 'a');
    rmSync(shown);
    volumes.write(at, file('one'), how);
    expect(existsSync(shown)).toBe(false);
    await clock.advance(30_000);
    volumes.write(at, file('one'), how);
    expect(readFileSync(shown, 'utf8')).toBe('one');
  });

  it('change at once, and are looked at by the next agent', () => {
    const volumes = again();
    const shown = join(volumes.write(at, file('one'), how), 'a');
    volumes.write(at, file('two'), how);
    expect(readFileSync(shown, 'utf8')).toBe('two');
    rmSync(shown);
    again().write(at, file('two'), how);
    expect(readFileSync(shown, 'utf8')).toBe('two');
  });

  it('are those asked for after a change that failed half-way, at once', () => {
    const volumes = again();
    const shown = join(volumes.write(at, file('one'), how), 'a');
    const inTheWay = join(shown, '..', 'folder');
    mkdirSync(inTheWay);
    expect(() => volumes.write(at, file('two'), how)).toThrow();
    expect(readFileSync(shown, 'utf8')).toBe('two');
    rmdirSync(inTheWay);
    volumes.write(at, file('one'), how);
    expect(readFileSync(shown, 'utf8')).toBe('one');
  });

  it('are there again for a pod that is there again', async () => {
    const volumes = again();
    const shown = join(volumes.write(at, file('one'), how), 'a');
    await volumes.remove('one');
    expect(existsSync(shown)).toBe(false);
    volumes.write(at, file('one'), how);
    expect(readFileSync(shown, 'utf8')).toBe('one');
  });
});

describe('what a pod has had', () => {
  it('is unmounted and removed by an agent that never saw it, and the host’s files stay', async () => {
    const before = anAgent();
    before.emptyDir({ podUid: 'one', volume: 'memory' }, inMemory);
    before.write({ podUid: 'one', volume: 'secret' }, [], { secret: true, group: undefined });
    await before.subPath({ ...part, root: host, inside: 'kept' });
    await before.subPath({ ...part, index: 1, root: host, inside: 'kept/file' });
    // An agent that was cut off may have mounted twice.
    await anAgent().subPath({ ...part, root: host, inside: 'kept' });
    expect(mountsBelow()).toHaveLength(4);
    const after = anAgent();
    expect(after.podUids()).toEqual(['one']);
    await after.remove('one');
    expect([mountsBelow(), readdirSync(root)]).toEqual([[], []]);
    expect(readdirSync(join(host, 'kept'))).toEqual(['file']);
  });

  it('is found though the folder is named by a link: what is mounted there is not removed with it', async () => {
    mkdirSync(root);
    const link = join(folder, 'link');
    symlinkSync(root, link);
    const volumes = anAgent(link);
    await volumes.subPath({ ...part, root: host, inside: 'kept' });
    unmountVolumes(system, link);
    expect(mountsBelow()).toEqual([]);
    await volumes.subPath({ ...part, root: host, inside: 'kept' });
    await volumes.remove('one');
    expect(mountsBelow()).toEqual([]);
    expect(existsSync(join(host, 'kept', 'file'))).toBe(true);
  });
});

describe('a volume that another file system is mounted in', () => {
  it('is reached by a process beside the agent, and shows what is there', async () => {
    const volumes = anAgent();
    const path = volumes.emptyDir({ podUid: 'one', volume: 'data' }, onDisk);
    mkdirSync(join(path, 'inner'));
    system.mount({ source: 'tmpfs', target: join(path, 'inner'), type: 'tmpfs' });
    writeFileSync(join(path, 'inner', 'file'), '');
    const shown = await volumes.subPath({ ...part, root: path, inside: 'inner' });
    expect(readdirSync(shown)).toEqual(['file']);
    await volumes.remove('one');
    expect(mountsBelow()).toEqual([]);
  });
});

describe('a path of the host', () => {
  it.for([
    ['Directory', 'file', 'is not a directory'],
    ['Directory', 'nowhere', 'is not a directory'],
    ['File', 'folder', 'is not a file'],
    ['FileOrCreate', 'folder', 'is not a file'],
    ['DirectoryOrCreate', 'file', 'is not a directory'],
    ['Socket', 'file', 'is not a socket file'],
    ['CharDevice', 'file', 'is not a character device'],
    ['BlockDevice', 'nowhere', 'is not a block device'],
  ] as const)('of type %s that is %s is refused', async ([type, name, why]) => {
    writeFileSync(join(host, 'file'), '');
    mkdirSync(join(host, 'folder'));
    const path = join(host, name);
    await expect(anAgent().hostPath(path, type, { podUid: 'one', volume: 'v' })).rejects.toThrow(
      `hostPath type check failed: ${path} ${why}`,
    );
  });

  it('is made where its type says so: folders with those above them, a file without', async () => {
    const volumes = anAgent();
    const use = (path: string, type: string) =>
      volumes.hostPath(join(host, path), type, { podUid: 'one', volume: 'v' });
    await use('new/deep', 'DirectoryOrCreate');
    await use('made', 'FileOrCreate');
    expect(statSync(join(host, 'new/deep')).mode & 0o777).toBe(0o755);
    expect(statSync(join(host, 'made')).mode & 0o7777).toBe(0o644);
    await expect(use('other/made', 'FileOrCreate')).rejects.toThrow(
      /Directory nonexistent|No such/,
    );
    chmodSync(join(host, 'made'), 0o600);
    writeFileSync(join(host, 'made'), 'text');
    await anAgent().hostPath(join(host, 'made'), 'FileOrCreate', { podUid: 'two', volume: 'v' });
    expect(statSync(join(host, 'made')).size).toBe(4);
  });

  it('of the type that asks for nothing may be missing, and links are followed', async () => {
    const at = { podUid: 'one', volume: 'v' };
    expect(await anAgent().hostPath(join(host, 'nowhere'), '', at)).toBe(join(host, 'nowhere'));
    symlinkSync('kept', join(host, 'link'));
    await anAgent().hostPath(join(host, 'link'), 'Directory', at);
    await expect(anAgent().hostPath(host, 'Folder', at)).rejects.toThrow(/invalid volume type/);
  });
});

describe('an empty directory', () => {
  it.each([onDisk, inMemory])('keeps the rights that its pod gave it (%o)', (spec) => {
    const at = { podUid: 'one', volume: 'data' };
    const path = anAgent().emptyDir(at, { ...spec, group: 1234 });
    const before = statSync(path);
    expect([before.mode & 0o7777, before.gid]).toEqual([0o2777, 1234]);
    chmodSync(path, 0o700);
    anAgent().emptyDir(at, { ...spec, group: 1234 });
    expect(statSync(path).mode & 0o7777).toBe(0o700);
  });
});
