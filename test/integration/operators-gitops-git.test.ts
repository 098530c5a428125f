// Repositories on the host by the real git: what examples/09-gitops/git.ts reads of them, and what it says of what cannot be read.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hostRepositories } from '../../examples/09-gitops/git.ts';
import { MAX_FILES, SourceError } from '../../examples/09-gitops/repository.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'git-sync-'));
  git('init', '--quiet', '--initial-branch=main');
});
afterEach(() => rmSync(folder, { recursive: true }));

const never = new AbortController().signal;
const git = (...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
function commit(files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  git('add', '--all');
  git('commit', '--quiet', '--message', 'a commit');
  return git('rev-parse', 'HEAD');
}
const filesOf = (revision: string, within = '') =>
  hostRepositories.filesOf(folder, { revision, folder: within }, never);

it('reads manifests of a commit, whatever the working tree has, from bare repositories too', async () => {
  symlinkSync('/etc/passwd', join(folder, 'link.yaml'));
  const first = commit({ 'a b.yaml': 'ä: 1\n', 'in/deep/b.json': '{}', 'README.md': 'x' });
  const second = commit({ 'in/c.yml': '' });
  git('tag', '--annotate', '--message', 'x', 'v1', first);
  writeFileSync(join(folder, 'a b.yaml'), 'changed');
  expect(await hostRepositories.revisionOf(folder, 'main', never)).toBe(second);
  expect(await hostRepositories.revisionOf(folder, 'v1', never)).toBe(first);
  expect(await filesOf(first)).toEqual([
    { path: 'a b.yaml', text: 'ä: 1\n' },
    { path: 'in/deep/b.json', text: '{}' },
  ]);
  expect((await filesOf(second, 'in')).map(({ path }) => path)).toEqual(['c.yml', 'deep/b.json']);
  const bare = join(folder, 'bare.git');
  git('clone', '--quiet', '--bare', folder, bare);
  expect(await hostRepositories.revisionOf(bare, 'HEAD', never)).toBe(second);
});

it('says what cannot be read', async () => {
  const revision = commit({ 'a.yaml': '' });
  const revisionOf = (path: string, ref: string) => hostRepositories.revisionOf(path, ref, never);
  await expect(revisionOf(folder, 'no-such')).rejects.toThrow('there is no no-such');
  await expect(revisionOf(join(folder, 'missing'), 'HEAD')).rejects.toThrow(SourceError);
  await expect(revisionOf(folder, '--all')).rejects.toThrow(SourceError);
  await expect(filesOf(revision, 'missing')).rejects.toThrow('there is no folder missing');
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(hostRepositories.revisionOf(folder, 'HEAD', aborted)).rejects.toThrow('enough');
});

it('refuses more manifests than its limit', async () => {
  const files = Array.from({ length: MAX_FILES + 1 }, (_, at) => [`${at}.yaml`, '']);
  const revision = commit(Object.fromEntries(files));
  await expect(filesOf(revision)).rejects.toThrow(`more than ${MAX_FILES}`);
});
