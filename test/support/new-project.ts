// Projects that `pinnace new` makes, in a folder of the test's own: packages put in place as npm would link and install them, from
// this repository's own, so that no registry is asked. Invariant: programs run without the variables of the test's runner.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tidy/sources.ts';

/** What the project has copies of its own of, as after `npm install`: their types and state are not those that pinnace itself has. */
const COPIED = ['vitest', 'zod'];

/** As `npm install` leaves it: pinnace is a link to its folder, the rest are packages of the same versions. Throws where they differ. */
export function installPackages(folder: string): void {
  const { dependencies, devDependencies } = manifestOf(folder);
  const own = manifestOf(root);
  const versions = { ...own.dependencies, ...own.devDependencies };
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    if (name === 'pinnace')
      symlinkSync(join(folder, version.slice('file:'.length)), join(modules, name));
    else if (version !== versions[name])
      throw new Error(`${name} is wanted in ${version}, not in ${versions[name]}`);
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.') && !COPIED.includes(name))
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
  for (const name of COPIED) copyPackage(name, modules);
  linkPrograms(join(modules, '.bin'));
}

/** The copy is another version by its own word: the compiler takes copies that are alike, as installs seldom are, for one. */
function copyPackage(name: string, modules: string): void {
  cpSync(join(root, 'node_modules', name), join(modules, name), { recursive: true });
  const path = join(modules, name, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
  const version = `${manifest.version}-copy`;
  writeFileSync(path, JSON.stringify({ ...manifest, version }));
}

function linkPrograms(folder: string): void {
  mkdirSync(folder);
  for (const name of ['node', 'tsc'])
    symlinkSync(join(root, 'node_modules', '.bin', name), join(folder, name));
  symlinkSync('../vitest/vitest.mjs', join(folder, 'vitest'));
  symlinkSync('../pinnace/cli/pinnace.mjs', join(folder, 'pinnace'));
}

type Versions = Readonly<Record<string, string>>;

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly dependencies: Versions;
    readonly devDependencies: Versions;
  };

/** What a project's programs find in their environment: nothing of the test's runner, but where the run keeps what it makes. */
export function projectEnvironment(more: Readonly<Record<string, string>> = {}) {
  const { HOME, PATH } = process.env;
  const quiet = { NO_COLOR: '1', npm_config_update_notifier: 'false' };
  return { HOME, PATH, ...keptPlaces(), ...quiet, ...more };
}

/** The run's temporary folder, and what Node compiled before, where they are set: a process for itself would compile all again. */
export function keptPlaces(): Readonly<Record<string, string>> {
  const { TMPDIR, NODE_COMPILE_CACHE } = process.env;
  return {
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
  };
}
