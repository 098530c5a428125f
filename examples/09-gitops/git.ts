// Repositories on this host, by the program git: a process for each question, none of which writes or runs anything of the repository's own.
// Invariant: nothing that a user names is taken for an option, and answers are bounded.
import { execFile } from 'node:child_process';
import { isManifest, MAX_BYTES, MAX_FILES, type Repositories, SourceError } from './repository.ts';

/** How long git may take for an answer. */
const TIMEOUT_MS = 60_000;

/** Without the host's settings, prompts, and anything that a repository could have fetched or run. */
const ENVIRONMENT = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_OPTIONAL_LOCKS: '0',
};

/** The repositories of this host. */
export const hostRepositories: Repositories = {
  async revisionOf(path, ref, signal) {
    const commit = `${ref}^{commit}`;
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', commit];
    const revision = (await git(path, args, { signal, problem: `there is no ${ref}` })).trim();
    if (/^[0-9a-f]{40,64}$/.test(revision)) return revision;
    throw new SourceError(`${path}: git does not say which commit ${ref} is`);
  },

  async filesOf(path, { revision, folder }, signal) {
    const tree = folder === '' ? revision : `${revision}:${folder}`;
    const problem = `there is no folder ${folder} at ${revision}`;
    // Mode, type, object, size, tab, path; a submodule or link is no file.
    const args = ['ls-tree', '-r', '-l', '-z', '--end-of-options', tree];
    const listing = await git(path, args, { signal, problem });
    const files = listing.split('\0').flatMap((line) => {
      const [head = '', name = ''] = line.split('\t');
      const [mode, , object = '', size] = head.split(/ +/);
      const isFile = mode === '100644' || mode === '100755';
      return isFile && isManifest(name) ? [{ object, path: name, size: Number(size) }] : [];
    });
    checkSize(path, files);
    const texts: { path: string; text: string }[] = [];
    for (const file of files) {
      const text = await git(path, ['cat-file', 'blob', file.object], {
        signal,
        problem: `${file.path} cannot be read`,
      });
      texts.push({ path: file.path, text });
    }
    return texts;
  },
};

function checkSize(path: string, files: readonly { readonly size: number }[]): void {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (files.length <= MAX_FILES && bytes <= MAX_BYTES) return;
  throw new SourceError(
    `${path}: ${files.length} manifests of ${bytes} bytes are more than ${MAX_FILES} or ${MAX_BYTES}; name a folder within, in several syncs`,
  );
}

/** Runs git there; `problem` is what it means where it fails. */
function git(
  path: string,
  args: readonly string[],
  { signal, problem }: { readonly signal: AbortSignal; readonly problem: string },
): Promise<string> {
  const options = {
    env: ENVIRONMENT,
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_BYTES,
    signal,
    encoding: 'utf8' as const,
  };
  return new Promise((resolve, reject) => {
    execFile('git', ['-C', path, ...args], options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (signal.aborted) return reject(signal.reason as Error);
      if (error.code === ('ENOENT' as unknown))
        return reject(new SourceError('git is not there; install the package git'));
      const said = stderr.trim().split('\n')[0] || error.message;
      return reject(new SourceError(`${path}: ${problem} (git: ${said})`));
    });
  });
}
