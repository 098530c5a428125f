// The processes that make containers' files: the agent's and that of `pinnace image load`, whoever starts them and however.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const path = (name: string) => new URL(name, import.meta.url).pathname;
/** Tells at the end of a process what the kernel takes off the modes of its files. */
const TELLING = `data:text/javascript,
  import { readFileSync } from 'node:fs';
  process.on('exit', () => {
    process.stdout.write(/^Umask:.*$/m.exec(readFileSync('/proc/self/status', 'utf8'))[0]);
  });`;

// There is no cluster and no archive for them; what they are like does not depend on that.
it.each([
  ['the agent', 78, (folder: string) => [path('./node.ts'), folder]],
  [
    'image load',
    1,
    (folder: string) => [path('../pinnace.ts'), 'image', 'load', folder, '--data-dir', folder],
  ],
])(
  '%s makes files that any user may read, though its starter keeps its own to itself',
  async (_, code, args) => {
    const folder = mkdtempSync(join(tmpdir(), 'pinnace-node-'));
    const masked = ['-c', 'umask 077; exec "$0" "$@"', process.execPath];
    const program = ['--import', TELLING, ...args(join(folder, 'nothing'))];
    try {
      const ended = promisify(execFile)('sh', [...masked, ...program]);
      await expect(ended).rejects.toMatchObject({ code, stdout: 'Umask:\t0022' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
