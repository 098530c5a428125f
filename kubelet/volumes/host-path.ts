// A path of the host that a pod names: looked at and made by small processes, since its file system may hang.
// Invariant: no call of this process touches the path.
import { constants } from 'node:fs';
import { CommandError, type System } from '../../system/system.ts';
import { ConfigError } from './volume-error.ts';

const failed = (text: string) => new ConfigError('FailedMount', text);

/** What upstream calls that which a type asks for, and the file type that it is. */
const TYPES: ReadonlyMap<string, readonly [string, number]> = new Map([
  ['Directory', ['directory', constants.S_IFDIR]],
  ['DirectoryOrCreate', ['directory', constants.S_IFDIR]],
  ['File', ['file', constants.S_IFREG]],
  ['FileOrCreate', ['file', constants.S_IFREG]],
  ['Socket', ['socket file', constants.S_IFSOCK]],
  ['CharDevice', ['character device', constants.S_IFCHR]],
  ['BlockDevice', ['block device', constants.S_IFBLK]],
]);

/** Commands that make what is missing: a directory with those above it, a file alone, as upstream. */
const MAKERS: ReadonlyMap<string, (path: string) => readonly string[]> = new Map([
  ['DirectoryOrCreate', (path: string) => ['mkdir', '-p', '-m', '0755', '--', path]],
  ['FileOrCreate', (path: string) => ['sh', '-c', 'umask 022; : >> "$1"', 'sh', path]],
]);

/** Checks a path, or makes it, as its type says; the type '' asks for nothing but an answer. Throws ConfigError in upstream's words. */
export async function useHostPath(
  system: Pick<System, 'run'>,
  { path, type }: { readonly path: string; readonly type: string },
  signal: AbortSignal,
): Promise<void> {
  const found = await fileType(system, path, signal);
  if (type === '') return;
  const [what, wanted] = TYPES.get(type) ?? [undefined, 0];
  if (what === undefined) throw failed(`${type} is an invalid volume type`);
  const make = found === undefined ? MAKERS.get(type)?.(path) : undefined;
  if (make) {
    await command(system, make, signal);
    return;
  }
  if (found !== wanted) throw failed(`hostPath type check failed: ${path} is not a ${what}`);
}

/** The device itself that a path leads to, by whatever links. Throws ConfigError where it is no block device. */
export async function blockDeviceAt(
  system: Pick<System, 'run'>,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  await useHostPath(system, { path, type: 'BlockDevice' }, signal);
  return (await command(system, ['readlink', '-f', '--', path], signal)).trimEnd();
}

/** Links are followed. Undefined where nothing can be found. */
async function fileType(
  system: Pick<System, 'run'>,
  path: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const stdout = await command(system, ['stat', '-L', '-c', '%f', '--', path], signal);
    return Number.parseInt(stdout, 16) & constants.S_IFMT;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** Throws ConfigError with what the command said where it failed, CommandError where it did not end. */
async function command(
  system: Pick<System, 'run'>,
  [name = '', ...args]: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  try {
    // Whoever gives the signal decides how long it may take.
    const how = { signal, timeoutMs: 2 ** 30, moreEnv: { LC_ALL: 'C' } };
    return (await system.run(name, args, how)).stdout;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode !== undefined)
      throw failed(error.stderr.trim());
    throw error;
  }
}
