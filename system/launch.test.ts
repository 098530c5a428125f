// Children of both ways to start one: what the program finds, what is told of its end, and that nothing of it is left here.
import { once } from 'node:events';
import {
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLinuxSystem } from './linux.ts';
import type { Child } from './system.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-launch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What is open in this process, each by its number and what it leads to: others that close meanwhile are none of ours. */
const openDescriptors = () =>
  readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      return [`${number} ${readlinkSync(`/proc/self/fd/${number}`)}`];
    } catch {
      // The one by which they are listed.
      return [];
    }
  });
const openedSince = (before: readonly string[]) =>
  openDescriptors().filter((each) => !before.includes(each));
const endOf = async (child: Child) =>
  (await once(child, 'close')) as [number | null, string | null];
const failureOf = async (child: Child) => ((await once(child, 'error')) as [Error])[0];

for (const manyChildren of [false, true]) {
  const system = createLinuxSystem({ manyChildren });
  const shell = (script: string) => system.spawn('sh', ['-c', script]);

  describe(manyChildren ? 'a child that borrows memory' : 'a child of Node', () => {
    it('has its arguments, environment and directory', async () => {
      const child = system.spawn(
        'sh',
        ['-c', 'echo "$0 $1 $WHAT $(pwd) ${HOME-none}"', 'a b', 'c'],
        {
          env: { PATH: '/bin:/usr/bin', WHAT: 'ä' },
          cwd: folder,
        },
      );
      expect(await text(child.stdout as Readable)).toBe(`a b c ä ${folder} none\n`);
    });

    it('tells exit codes and signals, once the last of its output is read', async () => {
      expect(await endOf(shell('exit 7'))).toEqual([7, null]);
      expect(await endOf(shell('kill -9 $$'))).toEqual([null, 'SIGKILL']);
      const child = shell('head -c 300000 /dev/zero; echo why >&2');
      const said = [text(child.stdout as Readable), text(child.stderr as Readable)];
      const [zeros, why] = await Promise.all(said);
      expect([zeros?.length, why]).toEqual([300_000, 'why\n']);
      await endOf(child);
      expect(child.exitCode).toBe(0);
      expect(child.kill()).toBe(false);
    });

    it('reads what it is given to its end, and answers on any descriptor', async () => {
      const child = system.spawn('sh', ['-c', 'cat; head -n 1 <&3 >&3'], {
        stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
      });
      const both = child.stdio[3] as Readable & Writable;
      both.write('there\n');
      child.stdin?.end('in');
      expect(await text(child.stdout as Readable)).toBe('in');
      expect(await text(both)).toBe('there\n');
      expect(child.stderr).toBe(null);
      await system.run('true', []);
    });

    it('writes into a file of this process', async () => {
      const log = openSync(join(folder, 'log'), 'a');
      const child = system.spawn('sh', ['-c', 'echo said; echo why >&2'], {
        stdio: ['ignore', log, log],
      });
      closeSync(log);
      expect(await endOf(child)).toEqual([0, null]);
      expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('said\nwhy\n');
    });

    it('has no other descriptors, ignores no signal, and is in the session it is told', async () => {
      const held = openSync(folder, 'r');
      // The shell blocks all signals for the moment in which it starts a program: it reads its own by itself.
      const signals =
        'while read -r name mask; do case $name in SigBlk: | SigIgn:) echo $name $mask;; esac; done';
      const script = `readlink /proc/$$/fd/* | grep -c launch; ${signals} < /proc/$$/status; cut -d" " -f6 /proc/$$/stat`;
      const show = (detached: boolean) =>
        system.spawn('sh', ['-c', script], { detached, stdio: ['ignore', 'pipe', 'ignore'] });
      const [own, shared] = [show(true), show(false)];
      const told = await Promise.all([own, shared].map(({ stdout }) => text(stdout as Readable)));
      closeSync(held);
      const none = '0000000000000000';
      const plain = (session: string) => `0\nSigBlk: ${none}\nSigIgn: ${none}\n${session}\n`;
      const mine = readFileSync('/proc/self/stat', 'utf8').split(' ')[5] ?? '';
      expect(told).toEqual([plain(String(own.pid)), plain(mine)]);
    });

    it('that cannot be started says why, and leaves nothing open', async () => {
      // The first of each kind opens what stays.
      await endOf(shell('true'));
      const before = openDescriptors();
      const missing = system.spawn('no-such-program', []);
      expect((await failureOf(missing)).message).toBe('spawn no-such-program ENOENT');
      expect([missing.pid, missing.kill()]).toEqual([undefined, false]);
      // Its streams are used before the failure is told.
      expect(missing.stdio.filter(Boolean).length).toBe(3);
      const nowhere = system.spawn('true', [], { cwd: join(folder, 'none') });
      expect(await failureOf(nowhere)).toMatchObject({ code: 'ENOENT' });
      writeFileSync(join(folder, 'text'), '', { mode: 0o644 });
      expect(await failureOf(system.spawn(join(folder, 'text'), []))).toMatchObject({
        code: 'EACCES',
      });
      await expect(system.run('no-such-program', [])).rejects.toThrow('ENOENT');
      // Half of an argument is another argument; Node's way throws.
      const cut = async () => await failureOf(system.spawn('echo', ['a\0b']));
      expect(await cut().catch((error: unknown) => error)).toMatchObject({
        code: expect.stringContaining('INVAL') as string,
      });
      await endOf(shell('true'));
      await expect.poll(() => openedSince(before)).toEqual([]);
    });

    it('is told from others that end in the same moment, and is reaped', async () => {
      await endOf(shell('true'));
      const before = openDescriptors();
      const children = Array.from({ length: 60 }, (_, i) => shell(`exit ${i}`));
      const ends = await Promise.all(children.map(endOf));
      expect(ends).toEqual(children.map((_, i) => [i, null]));
      for (const { pid } of children) expect(readdirSync('/proc')).not.toContain(String(pid));
      await expect.poll(() => openedSince(before)).toEqual([]);
      expect(process.listenerCount('SIGCHLD')).toBe(0);
    });

    it('has the first three descriptors, whatever it is given', async () => {
      const script = 'for n in 0 1 2; do readlink /proc/$$/fd/$n | cut -d: -f1; done';
      const child = system.spawn('sh', ['-c', script], {
        stdio: ['ignore', 'pipe', ...(manyChildren ? [] : ['ignore' as const])],
      });
      const said = await text(child.stdout as Readable);
      expect(said).toMatch(/^\/dev\/null\n(socket|pipe)\n\/dev\/null\n$/);
    });

    it('may be started when the one before it ends, as often as that is', async () => {
      const listeners: number[] = [];
      await new Promise<void>((resolve) => {
        const next = (left: number) => {
          const child = system.spawn('true', [], { stdio: 'ignore' });
          listeners.push(process.listenerCount('SIGCHLD'));
          child.once('exit', () => (left === 0 ? resolve() : next(left - 1)));
        };
        next(5);
      });
      expect(Math.max(...listeners)).toBe(manyChildren ? 1 : 0);
    });

    it('may end while one of its children holds its output', async () => {
      const child = shell('sleep 60 & echo $!; exit 3');
      const said = once(child.stdout as Readable, 'data') as Promise<[Buffer]>;
      let isClosed = false;
      const closed = endOf(child).finally(() => (isClosed = true));
      expect(await once(child, 'exit')).toEqual([3, null]);
      const [chunk] = await said;
      expect(isClosed).toBe(false);
      process.kill(Number(chunk), 'SIGKILL');
      expect(await closed).toEqual([3, null]);
    });
  });
}
