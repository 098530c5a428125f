// Tests of work on paths that users name, on a file system that never answers: who asked is told, everybody else goes on.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { aHungFileSystem, type HungFileSystem } from '../../test/support/hung-file-system.ts';
import { until } from '../../test/support/until.ts';
import { DiskVolumes } from './disk-volumes.ts';
import { ANSWER_MS, GIVE_UP_MS, HostPlaces, MAX_WORKS, PER_FILE_SYSTEM } from './host-places.ts';
import { ConfigError } from './volume-error.ts';

const system = createLinuxSystem();
let folder: string;
let hung: HungFileSystem;
let clock: VirtualClock;
let volumes: DiskVolumes;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-places-'));
  mkdirSync(join(folder, 'well'));
  hung = await aHungFileSystem(join(folder, 'hung'));
  clock = new VirtualClock();
  volumes = new DiskVolumes({ system, clock, random: systemRandom, root: join(folder, 'pods') });
  volumes.prepare();
});
afterEach(async () => {
  await hung.giveUp();
  for (const uid of volumes.podUids()) await volumes.remove(uid);
  rmSync(folder, { recursive: true, force: true });
});

/** Processes that wait for something below the path. */
const waiting = (path: string) =>
  system
    .list('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => readCommand(pid).includes(path));
const readCommand = (pid: string) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

const at = (podUid: string) => ({ podUid, volume: 'v' });
const part = (podUid: string, root: string) => ({ podUid, container: 'c', index: 0, root });

describe('a file system that hangs', () => {
  const asked: Readonly<Record<string, () => Promise<unknown>>> = {
    'a path of any type': () => volumes.hostPath(hung.path, '', at('one')),
    'a directory that is to be made': () =>
      volumes.hostPath(join(hung.path, 'new'), 'DirectoryOrCreate', at('one')),
    'a part of a volume': () => volumes.subPath({ ...part('one', hung.path), inside: 'deep/er' }),
    'a container that starts again': () => volumes.answers('one', hung.path),
    'a volume that is given to a group': () =>
      volumes.own(at('one'), hung.path, { group: 7, onRootMismatch: false, readOnly: false }),
  };

  it.for(Object.keys(asked))('holds up who asks for %s, and nobody else', async (name) => {
    const stuck = asked[name]?.();
    const told = expect(stuck).rejects.toThrow(ConfigError);
    await until(() => waiting(hung.path).length > 0);
    const well = join(folder, 'well');
    expect(await volumes.hostPath(well, 'Directory', at('two'))).toBe(well);
    await volumes.subPath({ ...part('two', well), inside: 'made' });
    await clock.advance(ANSWER_MS);
    await told;
    // What hangs is asked about once, whoever asks how often.
    const again = expect(asked[name]?.()).rejects.toThrow(ConfigError);
    await clock.advance(ANSWER_MS);
    await again;
    expect(waiting(hung.path)).toHaveLength(1);
    await hung.giveUp();
    await until(() => waiting(hung.path).length === 0);
  });

  it('is named to whoever asks for it', async () => {
    const stuck = volumes.hostPath(hung.path, 'Directory', at('one'));
    const told = expect(stuck).rejects.toThrow(
      `${hung.path} does not answer: the fuse file system at ${hung.path} hangs`,
    );
    await clock.advance(ANSWER_MS);
    await told;
  });

  it('has so many processes waiting for it and no more, and each is given up in the end', async () => {
    const pods = Array.from({ length: PER_FILE_SYSTEM + 3 }, (_, i) => `pod-${i}`);
    const told = pods.map((uid) =>
      expect(volumes.hostPath(hung.path, '', at(uid))).rejects.toThrow(/does not answer/),
    );
    await until(() => waiting(hung.path).length === PER_FILE_SYSTEM);
    const first = waiting(hung.path);
    await clock.advance(ANSWER_MS);
    await Promise.all(told);
    expect(waiting(hung.path)).toEqual(first);
    await clock.advance(GIVE_UP_MS);
    await until(() => waiting(hung.path).every((pid) => !first.includes(pid)));
  });

  it('mounts nothing for a pod that is gone when it answers', async () => {
    const stuck = volumes.subPath({ ...part('one', hung.path), inside: 'deep' });
    const told = expect(stuck).rejects.toThrow();
    await until(() => waiting(hung.path).length === 1);
    await volumes.remove('one');
    await hung.giveUp();
    await told;
    expect(volumes.podUids()).toEqual([]);
  });
});

describe('works on paths', () => {
  it('are refused beyond so many, and are begun again once there is room', async () => {
    const places = new HostPlaces({ clock, system });
    const ends = Promise.withResolvers<string>();
    const work = (podUid: string) => ({ podUid, name: 'w', path: '/', run: () => ends.promise });
    const begun = Array.from({ length: MAX_WORKS }, (_, i) => places.answer(work(String(i))));
    await expect(places.answer(work('more'))).rejects.toThrow(/256 works .* under way already/);
    ends.resolve('done');
    expect(await Promise.all(begun)).toEqual(Array.from({ length: MAX_WORKS }, () => 'done'));
    expect(await places.answer(work('more'))).toBe('done');
  });

  it('that end while nobody waits are found by who asks again', async () => {
    const places = new HostPlaces({ clock, system });
    const ends = Promise.withResolvers<string>();
    let runs = 0;
    const run = () => {
      runs += 1;
      return ends.promise;
    };
    const work = { podUid: 'p', name: 'w', path: '/', slow: 'still at it', run };
    const told = expect(places.answer(work)).rejects.toThrow('still at it');
    await clock.advance(ANSWER_MS);
    await told;
    ends.resolve('done');
    await until(() => places.pending === 0);
    expect(await places.answer(work)).toBe('done');
    expect(runs).toBe(1);
  });
});
