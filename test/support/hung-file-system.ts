// A file system that never answers: FUSE, whose server holds the device open and says nothing.
// Invariant: everything that waits for it goes on, with an error, once it is given up; nothing of it stays.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createLinuxSystem } from '../../system/linux.ts';

/** One that hangs. */
export interface HungFileSystem {
  readonly path: string;
  /** Ends the waiting of whoever waits; it is not mounted any more then. */
  giveUp(): Promise<void>;
}

const SCRIPT = `exec 3<>/dev/fuse
mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hung "$1" && echo mounted && exec cat`;

/** Mounts one at a path that is not there yet. Needs root and /dev/fuse. */
export async function aHungFileSystem(path: string): Promise<HungFileSystem> {
  mkdirSync(path);
  // The device must not be this process's own: nothing here may wait for it.
  const server: ChildProcess = spawn('bash', ['-c', SCRIPT, 'bash', path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  const mounted = server.stdout && once(server.stdout, 'data');
  await Promise.race([mounted, ended.then(() => Promise.reject(new Error('not mounted')))]);
  let given: Promise<void> | undefined;
  const giveUp = async () => {
    server.kill('SIGKILL');
    await ended;
    createLinuxSystem().unmount(path);
    rmSync(path, { recursive: true, force: true });
  };
  return { path, giveUp: () => (given ??= giveUp()) };
}
