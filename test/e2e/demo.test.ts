// The demo itself, as the README shows it: it must see everything it promises, and leave nothing behind.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aHostNamespace, type HostNamespace } from '../../tools/host-namespace.ts';

const CEILING_MS = 900_000;
/** What the demo compares its catalog with. */
const BARE = join(import.meta.dirname, '../../tools/demo/bare-server.ts');
let host: HostNamespace;
let scratch: string;
beforeAll(() => {
  host = aHostNamespace();
  scratch = mkdtempSync(join(tmpdir(), 'pinnace-demo-test-'));
});
afterAll(() => {
  host.dispose();
  rmSync(scratch, { recursive: true, force: true });
});

describe('npm run demo', () => {
  it('tells the whole story, writes its report, and leaves nothing', {
    timeout: CEILING_MS,
  }, async () => {
    const report = join(scratch, 'report.html');
    const { code, stdout, stderr } = await host.run(
      'npm',
      ['run', 'demo', '--', '--report', report],
      {
        timeoutMs: CEILING_MS,
        env: { TMPDIR: scratch },
      },
    );
    process.stdout.write(stdout.slice(stdout.lastIndexOf('== ')));
    expect(`${stdout}\n${stderr}`).not.toMatch(/^FAIL /m);
    expect(stdout.match(/^ok {3}/gm)).toHaveLength(12);
    expect(code).toBe(0);
    const html = readFileSync(report, 'utf8');
    expect(html).toContain('uPlot');
    expect(html).not.toMatch(/(src|href)="http/);
    // npm keeps a cache of its own code in the temporary directory.
    const left = readdirSync(scratch).filter((name) => name !== 'node-compile-cache');
    expect(left).toEqual(['report.html']);
  });

  it.each([
    ['sets up', 'Setting up'],
    ['starts its cluster', 'Starting the cluster'],
    ['has its sale', 'the sale begins'],
  ])(
    'cleans up when it is interrupted while it %s, and says so in one line',
    {
      timeout: CEILING_MS,
    },
    async (_, moment) => {
      const demo = host.start('npm', ['run', 'demo'], {
        env: { TMPDIR: scratch },
        timeoutMs: CEILING_MS,
      });
      let said = '';
      let complained = '';
      demo.stderr?.on('data', (chunk: Buffer) => (complained += chunk.toString()));
      const reached = new Promise<void>((resolve, reject) => {
        demo.stdout?.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          if (said.includes(moment)) resolve();
        });
        demo.once('exit', () => reject(new Error(`the demo ended early: ${said}`)));
      });
      await reached;
      const ended = new Promise<void>((resolve) => demo.once('close', () => resolve()));
      const [program] = programsOf(demo.pid ?? 0);
      process.kill(program ?? Number.NaN, 'SIGINT');
      await ended;
      expect(complained.split('\n').filter((line) => line.startsWith('demo:'))).toEqual([
        'demo: interrupted by SIGINT; cleaned up, nothing is left',
      ]);
      expect(complained).not.toContain('    at ');
      expect(readdirSync(scratch).filter((name) => name.startsWith('pinnace-demo-'))).toEqual([]);
      const left = () =>
        readdirSync('/proc').filter(
          (pid) => /^\d+$/.test(pid) && [scratch, BARE].some((own) => commandOf(pid).includes(own)),
        );
      // What ends with the demo may be a moment later than the demo.
      await expect.poll(left).toEqual([]);
    },
  );
});

/** The demo's own process below npm and the shell. */
function programsOf(root: number): number[] {
  const children = (pid: number): number[] =>
    readIfThere(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  const below = (pid: number): number[] =>
    children(pid).flatMap((child) => [child, ...below(child)]);
  return below(root).filter(
    (pid) =>
      /tools\/demo\.ts/.test(commandOf(String(pid))) && !/^(sh|npm)/.test(commandOf(String(pid))),
  );
}

const commandOf = (pid: string): string =>
  readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');

/** What /proc says of a process; nothing where it has ended meanwhile. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
