// The code of a guide's page as files, so that a test may check its types and run it.
// Invariant: a block that names its file in its first line is taken as it stands; remove() leaves nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { keptPlaces } from './new-project.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Inside the repository, so that `pinnace/…` means what it means to users; no tool looks there. */
const FOLDER = join(ROOT, '.cache');

/** The files of one page. */
export interface GuideFiles {
  readonly names: readonly string[];
  /** Runs the file's top level, and answers what it exports. */
  load<T>(name: string): Promise<T>;
  /** What the type checker says of all of them: nothing where they are right. */
  faults(): Promise<string>;
  /** Runs the files that are tests, as their reader would: what the runner says, and its exit code. */
  test(): Promise<{ readonly said: string; readonly code: number | null }>;
  remove(): void;
}

/** Writes the blocks of `page` that begin with `// NAME.ts` into a folder of their own. */
export function guideFiles(page: string): GuideFiles {
  const blocks = readFileSync(join(ROOT, page), 'utf8').matchAll(
    /^```ts\n\/\/ ([\w.-]+\.ts)\n(.*?)^```$/gms,
  );
  const files = Array.from(blocks, ([, name = '', code = '']) => [name, code] as const);
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, 'guide-'));
  for (const [name, code] of files) writeFileSync(join(folder, name), code);
  const names = files.map(([name]) => name);
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include: ['*.ts'], exclude: [] }),
  );
  return {
    names,
    load: (name) => import(join(folder, name)) as Promise<never>,
    faults: async () => (await run('tsc', ['--noEmit', '-p', folder])).said,
    // As the projects that `pinnace new` makes have it: the runner's own five seconds are few on a slow host.
    test: () => run('vitest', ['run', '--root', folder, '--testTimeout', '60000']),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

async function run(program: string, args: readonly string[]) {
  // Not the runner's own variables, since what is run may be a runner too; and on this very Node.
  const { HOME } = process.env;
  const PATH = `${dirname(process.execPath)}:${process.env['PATH']}`;
  const child = spawn(join(ROOT, 'node_modules/.bin', program), args, {
    cwd: ROOT,
    env: { PATH, HOME, NO_COLOR: '1', ...keptPlaces() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [said, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { said: said + errors, code: code as number | null };
}
