// Removal of what others have filled a directory with.
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLinuxSystem } from './linux.ts';
import { removeTree } from './remove-tree.ts';

const system = createLinuxSystem();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-tree-'));
});
afterEach(() => rmdirSync(folder));

it('leaves nothing of a tree, and is quiet when there is none', async () => {
  mkdirSync(join(folder, 'a/b/c'), { recursive: true });
  writeFileSync(join(folder, 'a/b/x'), 'x');
  await removeTree(system, join(folder, 'a'));
  await removeTree(system, join(folder, 'a'));
  expect(existsSync(join(folder, 'a'))).toBe(false);
});

it('removes a tree that is deeper than a path may be long', async () => {
  const level = 'd'.repeat(200);
  const script = `mkdir deep && cd -P deep; for i in 1 2 3 4 5 6 7 8 9 10; do for j in 1 2 3; do mkdir ${level} && cd -P ${level}; done; done; pwd -P | wc -c`;
  const { stdout } = await system.run('sh', ['-c', script], { cwd: folder });
  expect(Number(stdout)).toBeGreaterThan(4096);
  await removeTree(system, join(folder, 'deep'));
  expect(existsSync(join(folder, 'deep'))).toBe(false);
});

it('lists no more of a tree than it may: a process of its own removes what is larger', async () => {
  const tree = join(folder, 'many');
  mkdirSync(tree);
  await system.run('sh', ['-c', 'seq 1 1500 | xargs touch'], { cwd: tree });
  const began: string[] = [];
  const run: typeof system.run = (program, ...rest) => {
    began.push(program);
    return system.run(program, ...rest);
  };
  await removeTree({ run }, tree);
  expect(existsSync(tree)).toBe(false);
  expect(began).toEqual(['rm']);
});
