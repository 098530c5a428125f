// The node agent's process, whoever starts it and however.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const PROGRAM = new URL('./node.ts', import.meta.url).pathname;
/** Tells at the end of a process what the kernel takes off the modes of its files. */
const TELLING = `data:text/javascript,
  import { readFileSync } from 'node:fs';
  process.on('exit', () => {
    process.stdout.write(/^Umask:.*$/m.exec(readFileSync('/proc/self/status', 'utf8'))[0]);
  });`;

it('makes files that containers of any user may read, though its starter keeps its own to itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-node-'));
  const masked = ['-c', 'umask 077; exec "$0" "$@"', process.execPath];
  const program = ['--import', TELLING, PROGRAM, join(folder, 'nothing')];
  try {
    const ended = promisify(execFile)('sh', [...masked, ...program]);
    // There is no cluster for it; what it is like does not depend on that.
    await expect(ended).rejects.toMatchObject({ code: 78, stdout: 'Umask:\t0022' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
