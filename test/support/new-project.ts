// Projects that `pinnace new` makes, in a folder of the test's own: packages put in place as npm would link and install them, from
// this repository's own, so that no registry is asked. Invariant: programs run without the variables of the test's runner.
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tidy/sources.ts';

/** As `npm install` leaves it: pinnace is a link to its folder, the rest are packages of the same versions. Throws where they differ. */
export function installPackages(folder: string): void {
  const { dependencies, devDependencies } = manifestOf(folder);
  const own = manifestOf(root);
  const versions = { ...own.dependencies, ...own.devDependencies };
  mkdirSync(join(folder, 'node_modules', '@types'), { recursive: true });
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    const linked = name === 'pinnace';
    if (!linked && version !== versions[name])
      throw new Error(`${name} is wanted in ${version}, not in ${versions[name]}`);
    const from = linked
      ? join(folder, version.slice('file:'.length))
      : join(root, 'node_modules', name);
    symlinkSync(from, join(folder, 'node_modules', name));
  }
  mkdirSync(join(folder, 'node_modules', '.bin'));
  const program = (name: string) => join(folder, 'node_modules', '.bin', name);
  for (const name of ['node', 'tsc', 'vitest'])
    symlinkSync(join(root, 'node_modules', '.bin', name), program(name));
  symlinkSync(join(root, 'cli', 'pinnace.mjs'), program('pinnace'));
}

type Versions = Readonly<Record<string, string>>;

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly dependencies: Versions;
    readonly devDependencies: Versions;
  };

/** What a project's programs find in their environment. */
export function projectEnvironment(more: Readonly<Record<string, string>> = {}) {
  const { HOME, PATH } = process.env;
  return { HOME, PATH, NO_COLOR: '1', npm_config_update_notifier: 'false', ...more };
}
