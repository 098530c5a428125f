// Tests of fsGroup on volumes that have content: who owns it, when it is left alone, and that no link is followed.
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { DiskVolumes } from './disk-volumes.ts';
import { type GroupOwnership, giveToGroup, MAX_OWNED_LEVELS } from './group-ownership.ts';
import { cpuOfTurns } from '../../test/support/cpu.ts';

const system = createLinuxSystem();
const GROUP = 4321;
const always: GroupOwnership = { group: GROUP, onRootMismatch: false, readOnly: false };
let folder: string;
let root: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-group-'));
  root = join(folder, 'volume');
  mkdirSync(join(root, 'sub'), { recursive: true, mode: 0o700 });
  writeFileSync(join(root, 'sub', 'file'), '', { mode: 0o600 });
  writeFileSync(join(root, 'program'), '', { mode: 0o755 });
  writeFileSync(join(folder, 'outside'), '', { mode: 0o600 });
  symlinkSync('../outside', join(root, 'link'));
  chownSync(join(root, 'sub', 'file'), 1234, 1234);
});
afterEach(() => {
  system.unmount(root);
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (name: string) => (lstatSync(join(root, name)).mode & 0o7777).toString(8);
const groupOf = (name: string) => lstatSync(join(root, name)).gid;

describe('a volume that is given to a group', () => {
  it('is its group’s to read, write and enter, and whatever is made in it', () => {
    giveToGroup(root, always);
    for (const name of ['.', 'sub', 'sub/file', 'program', 'link'])
      expect(groupOf(name)).toBe(GROUP);
    expect([modeOf('.'), modeOf('sub'), modeOf('sub/file'), modeOf('program')]).toEqual([
      '2770',
      '2770',
      '660',
      '775',
    ]);
    expect(lstatSync(join(root, 'sub', 'file')).uid).toBe(1234);
    const { gid, mode } = lstatSync(join(folder, 'outside'));
    expect([gid, mode & 0o7777]).toEqual([0, 0o600]);
  });

  it('is not written to by the group where it is read-only', () => {
    giveToGroup(root, { ...always, readOnly: true });
    expect([modeOf('sub'), modeOf('sub/file')]).toEqual(['2750', '640']);
  });

  it('is left alone with OnRootMismatch once its root is the group’s, as it is whole then', () => {
    const onRootMismatch = { ...always, onRootMismatch: true };
    giveToGroup(root, onRootMismatch);
    expect(groupOf('sub/file')).toBe(GROUP);
    chownSync(join(root, 'program'), 0, 0);
    giveToGroup(root, onRootMismatch);
    expect(groupOf('program')).toBe(0);
    chmodSync(root, 0o700);
    giveToGroup(root, onRootMismatch);
    expect([groupOf('program'), modeOf('.')]).toEqual([GROUP, '2770']);
  });

  it('is refused beyond so many folders in each other, with its root as it was', () => {
    let path = root;
    const before = process.cwd();
    process.chdir(root);
    try {
      for (let i = 0; i <= MAX_OWNED_LEVELS; i += 1) {
        mkdirSync('d');
        process.chdir('d');
      }
    } finally {
      process.chdir(before);
      path = root;
    }
    expect(() => giveToGroup(path, always)).toThrow(/more than 2000 folders deep/);
    expect(groupOf('.')).toBe(0);
  });

  it('of a hundred thousand files does not hold the event loop up', async () => {
    // Made and removed at once, unlike on a disk.
    system.mount({ source: 'tmpfs', target: root, type: 'tmpfs' });
    for (let d = 0; d < 100; d += 1) {
      mkdirSync(join(root, `d${d}`));
      for (let f = 0; f < 1_000; f += 1) writeFileSync(join(root, `d${d}`, `f${f}`), '');
    }
    const doors = { system, clock: systemClock, random: systemRandom };
    const volumes = new DiskVolumes({ ...doors, root: join(folder, 'pods') });
    volumes.prepare();
    const at = { podUid: 'one', volume: 'v' };
    const given = () =>
      volumes.own(at, root, always).then(
        () => true,
        () => false,
      );
    const turns = cpuOfTurns();
    while (!(await given()));
    const took = turns();
    expect(groupOf('d99/f999')).toBe(GROUP);
    // Far from what the walk takes, and of many turns.
    expect(took.length).toBeGreaterThan(10);
    const wholeMs = took.reduce((sum, ms) => sum + ms, 0);
    const longestMs = took.reduce((longest, ms) => Math.max(longest, ms), 0);
    expect(longestMs).toBeLessThan(Math.max(50, wholeMs / 4));
  });
});
