// `pinnace new operator`: a project of an operator that works, from cli/templates/operator, which is one itself: its types are
// checked and its tests run with this repository's own.
// Invariant: everything is read, checked and renamed before the first file is written, and nothing that is there is touched.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { toYaml } from '../printers/yaml-printer.ts';
import { CommandFailure } from './command-failure.ts';
import { type OperatorNames, operatorNames, renamed } from './new-names.ts';

/** What can be said of a new operator. */
export interface NewOperatorFlags {
  readonly dir?: string;
  readonly group: string;
  readonly kind?: string;
}

const ROOT = resolve(import.meta.dirname, '..', '..');
const TEMPLATE = join(ROOT, 'cli', 'templates', 'operator');
/** Where the template's files have other names, since tools would take them for this repository's own. */
const FILE_NAMES: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** Makes the project, and says what comes next. Throws CommandFailure where names are wrong, or the folder is not empty. */
export async function newOperator(name: string, flags: NewOperatorFlags): Promise<void> {
  const files = templateFiles();
  const names = operatorNames(name, flags, wordsOf(files));
  const folder = resolve(flags.dir ?? name);
  requireEmpty(folder);
  const project = new Map([...files].map(([path, text]) => [path, renamed(text, names)]));
  project.set('package.json', packageText(names, folder));
  const definition = await definitionOf(names);
  project.set(`manifests/${definition.name}.yaml`, definition.text);
  for (const [path, text] of project) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { flag: 'wx' });
  }
  const shown = relative('', folder) || '.';
  process.stdout.write(
    `${names.name}: ${project.size} files in ${shown}\n\n  cd ${shown}\n  npm install\n  npm test\n`,
  );
}

/** The template's texts, by their path within the project. */
function templateFiles(): Map<string, string> {
  const entries = readdirSync(TEMPLATE, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(TEMPLATE, join(entry.parentPath, entry.name)))
    .sort();
  return new Map(
    paths.map((path) => [FILE_NAMES[path] ?? path, readFileSync(join(TEMPLATE, path), 'utf8')]),
  );
}

/** The capitalized words of its sources, but for the kind's own: no other kind may take them. */
function wordsOf(files: ReadonlyMap<string, string>): Set<string> {
  const sources = [...files].filter(([path]) => path.endsWith('.ts')).map(([, text]) => text);
  const words = new Set(sources.join('\n').match(/\b[A-Z]\w*/g));
  for (const own of ['Widget', 'Widgets']) words.delete(own);
  return words;
}

function requireEmpty(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) throw new CommandFailure(`${folder} is a file; --dir names a folder`);
  const [first] = readdirSync(folder);
  if (first !== undefined)
    throw new CommandFailure(
      `${folder} is not empty (there is ${first}); --dir names another folder`,
    );
}

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** Packages that the project shares with this installation have the same versions. */
function packageText({ name }: OperatorNames, folder: string): string {
  const own = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const shared = (from: Readonly<Record<string, string>>, ...packages: readonly string[]) =>
    Object.fromEntries(packages.map((each) => [each, from[each]]));
  const manifest = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=22.18' },
    scripts: {
      start: 'node src/main.ts',
      check: 'tsc -p .',
      test: 'vitest run --testTimeout 60000',
      simulate: 'pinnace simulate test/scenario.ts --runs 1000',
      definition: 'pinnace crd generate src/kind.ts --out manifests',
    },
    dependencies: {
      pinnace: `file:${relative(folder, ROOT)}`,
      ...shared(own.dependencies, 'zod'),
    },
    devDependencies: shared(own.devDependencies, '@types/node', 'typescript', 'vitest'),
    // A Node that takes TypeScript, for hosts whose own is older.
    optionalDependencies: own.optionalDependencies,
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** What `npm run definition` of the project writes: that of the template's kind, renamed. */
async function definitionOf(names: OperatorNames): Promise<{ name: string; text: string }> {
  const { Widgets } = await import('../templates/operator/src/kind.ts');
  const { group, plural } = Widgets;
  const text = toYaml(Widgets.definition());
  return { name: renamed(`${plural}.${group}`, names), text: renamed(text, names) };
}
