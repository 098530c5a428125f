// Every example is listed in examples/README.md, with the tests that run it.
// Invariant: a numbered example's tests have its folder in their text, or in that of what they import from test/support.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root, sources } from './sources.ts';

const rows = readFileSync(join(root, 'examples/README.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ['));
const folders = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

it('has a line in examples/README.md for each folder, in order', () => {
  expect(rows.map((row) => /^\| \[([\w-]+)\]/.exec(row)?.[1])).toEqual(folders);
});

it('names tests that run it', () => {
  const untested = rows.flatMap((row) => {
    const [, example = ''] = /^\| \[([\w-]+)\]/.exec(row) ?? [];
    const tests = Array.from(row.matchAll(/`(test\/[\w/-]+\.test\.ts)`/g), ([, path = '']) => path);
    if (tests.length === 0) return [`${example} names no test`];
    return tests.filter((path) => !runs(path, example)).map((path) => `${path}: not of ${example}`);
  });
  expect(untested).toEqual([]);
});

function runs(path: string, example: string): boolean {
  if (!/^\d/.test(example)) return existsSync(join(root, path));
  return textOf(path).includes(`examples/${example}`);
}

/** The test's text, and those of what it imports from test/support, all the way. */
function textOf(path: string, seen = new Set<string>()): string {
  if (seen.has(path)) return '';
  seen.add(path);
  const source = sources.find((each) => each.path === path);
  const supports = (source?.imports ?? []).filter(({ target }) =>
    /^(test\/support|tools)\//.test(target),
  );
  return [source?.text ?? '', ...supports.map(({ target }) => textOf(target, seen))].join('\n');
}
