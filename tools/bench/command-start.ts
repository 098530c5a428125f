// Times `pinnace up` as a user sees it: from the command to the line that says it is up, in a data directory of its own.
// Invariant: certificates, database and supervisor are made anew each time, and all of it is gone when the promise settles.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

const COMMAND = new URL('../../cli/pinnace.mjs', import.meta.url).pathname;

/** One start of the command. */
export interface CommandStart {
  readonly ms: number;
  /** The supervising process as it says that it is up. */
  readonly rssMb: number;
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

/** Milliseconds from the command to "Pinnace is up", which follows /readyz; with no node. Throws when it ends before. */
export async function commandStart(compileCache: string): Promise<CommandStart> {
  const dataDir = mkdtempSync(join(tmpdir(), 'pinnace-bench-start-'));
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [COMMAND, 'up', '--port', '0', '--no-node', '--data-dir', dataDir],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  try {
    for await (const line of createInterface({ input: child.stdout }))
      if (line.startsWith('Pinnace is up'))
        return { ms: performance.now() - startedAt, rssMb: residentMb(child.pid ?? 0) };
    throw new Error('pinnace up ended before it was up');
  } finally {
    child.stdout.resume();
    child.kill('SIGTERM');
    await ended;
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The same with nothing compiled before, as in a fresh clone. */
export async function uncachedStart(): Promise<CommandStart> {
  const cache = mkdtempSync(join(tmpdir(), 'pinnace-bench-cache-'));
  try {
    return await commandStart(cache);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
