// docs/guide/README.md does what it says: its commands in their order, its changes as they stand, in a network namespace of the
// test's own. In place of `npm install`, which would ask a registry, packages are linked. Prints how long each step took.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aHostNamespace, type HostNamespace } from '../../tools/host-namespace.ts';
import { installPackages, projectEnvironment } from '../support/new-project.ts';
import { until } from '../support/until.ts';
import { root } from '../tidy/sources.ts';

/** Other processes may have both processors. */
const CEILING_MS = 300_000;
const page = readFileSync(join(root, 'docs/guide/README.md'), 'utf8');

let home: string;
let folder: string;
let host: HostNamespace;
const steps: string[] = [];
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'guide-'));
  folder = join(home, 'website-operator');
  host = aHostNamespace();
});
afterAll(async () => {
  await host.run(join(root, 'cli/pinnace.mjs'), ['down', '--data-dir', join(folder, '.pinnace')]);
  host.dispose();
  rmSync(home, { recursive: true });
  process.stdout.write(`${steps.join('\n')}\n`);
}, CEILING_MS);

/** The page's blocks of one language, in order. */
function blocks(language: string): string[] {
  const fences = Array.from(page.matchAll(/^```(\w*)\n(.*?)^```$/gms));
  return fences.filter(([, of]) => of === language).map(([, , code = '']) => code);
}

/** A shell with nothing of the runner's own in its environment. */
function shell(commands: string, at: string): [string, string[]] {
  const environment = Object.entries(projectEnvironment({ HOME: home }));
  const given = environment.map(([name, value]) => `${name}=${value}`);
  return ['env', ['-i', ...given, 'sh', '-ec', `cd ${at}\n${commands}`]];
}

async function typed(commands: string, at = folder) {
  const startedAt = performance.now();
  const outcome = await host.run(...shell(commands, at), { timeoutMs: CEILING_MS });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  steps.push(`${seconds.padStart(6)} s  ${commands.trim().replaceAll('\n', '; ')}`);
  return { code: outcome.code, said: outcome.stdout + outcome.stderr };
}

async function works(commands: string, at = folder): Promise<string> {
  const { code, said } = await typed(commands, at);
  expect(code, said).toBe(0);
  return said;
}

/** Fails, and says what the page shows of it. */
async function fails(commands: string, shown: string): Promise<void> {
  const { code, said } = await typed(commands);
  expect(code).toBe(1);
  for (const line of shown.trim().split('\n')) expect(said).toContain(line.trim());
}

/** Makes a change as it stands: what is there is found once, and replaced. */
function change(diff: string): void {
  const [, file = '', ...lines] = /^--- (.*)$/m.exec(diff.slice(0, diff.indexOf('\n'))) ?? [];
  expect(lines).toEqual([]);
  const body = diff.split('\n').slice(1, -1);
  const side = (other: string) =>
    body
      .filter((line) => !line.startsWith(other))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  const path = join(folder, file);
  const parts = readFileSync(path, 'utf8').split(side('+'));
  expect(parts, `${file} has this once:\n${side('+')}`).toHaveLength(2);
  writeFileSync(path, parts.join(side('-')));
}

/** Starts what stays, as in a terminal of its own; `interrupt` is Ctrl-C. */
function stays(commands: string) {
  const child = host.start(...shell(`exec setsid ${commands}`, folder));
  const said = [child.stdout, child.stderr].map((stream) => stream as Readable);
  let heard = '';
  for (const stream of said) stream.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  return {
    heard: () => heard,
    interrupt: async () => {
      process.kill(-(child.pid ?? Number.NaN), 'SIGINT');
      await Promise.all(said.map((stream) => text(stream)));
    },
  };
}

it(
  'leads from nothing to an operator that is tested and runs',
  async () => {
    const [make = '', test = '', run = '', look = '', end = ''] = blocks('sh');
    const diffs = blocks('diff');
    expect([blocks('sh').length, diffs.length]).toEqual([5, 5]);

    const [create = '', ...rest] = make.split('\n');
    expect(rest).toEqual(['cd ~/website-operator', 'npm install', 'npm test', '']);
    await works(create, root);
    installPackages(folder);
    expect(await works('npm test')).toMatch(/Tests\s+7 passed/);

    change(diffs[0] ?? '');
    expect(await typed('npm run check')).toMatchObject({ said: expect.stringContaining('closed') });
    const [refused = '', missing = ''] = blocks('');
    await fails('npm test', refused);
    change(diffs[1] ?? '');
    await fails('npm test', missing);
    for (const diff of diffs.slice(2)) change(diff);
    expect(await works(test)).toMatch(/Tests\s+8 passed/);

    const [up = '', configure = '', start = ''] = run.split('\n');
    await works(up);
    const program = stays(`env ${configure.replace('export ', '')} ${start}`);
    await until(() => program.heard().includes('the operator runs'));
    const [site = ''] = blocks('yaml');
    writeFileSync(join(folder, 'site.yaml'), site);
    await works(look.split('\n').slice(0, 2).join('\n'));
    const listed = `${look.split('\n')[0]}\nnpx pinnace get deployments`;
    await until(async () => (await typed(listed)).said.includes('first'));
    // The status is told after the Deployment is made.
    await until(async () => /NameTaken|Starting/.test(await works(look)));
    await program.interrupt();
    expect(program.heard()).toContain('the operator has stopped');
    await works(end);
  },
  CEILING_MS * 2,
);
