// The `pinnace` command on a Node that is too old for its sources: a process in front of the real one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const WRAPPER = join(import.meta.dirname, 'pinnace.mjs');
/** What makes this Node look like an old one to the wrapper. */
const OLD = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.0'})";

it.each(['SIGINT', 'SIGTERM'] as const)('passes on %s that is sent to it alone', async (signal) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pinnace-wrapper-'));
  const args = ['up', '--no-node', '--port', '0', '--data-dir', dataDir];
  const child = spawn(process.execPath, ['--import', OLD, WRAPPER, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, HOME: dataDir },
    // A group of its own, so that only who is named is told.
    detached: true,
  });
  try {
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  }
});
