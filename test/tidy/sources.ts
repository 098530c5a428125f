// Reads the repository's own sources for the tidy tests: files, their imports, their rooms.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';

/** The repository. */
export const root = resolve(import.meta.dirname, '../..');

/** A source file and what it imports. */
export interface Source {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly imports: readonly Import[];
}

/** One import. `target` is a repository path for relative ones, the package's name for others. */
export interface Import {
  readonly target: string;
  readonly relative: boolean;
  readonly typeOnly: boolean;
  readonly line: number;
}

const SKIPPED = new Set(['node_modules', 'dist', '.git', 'generated', '.cache']);

/** All files below the repository with one of these endings. */
export function filesWith(endings: readonly string[], folder = ''): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...filesWith(endings, path));
    else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
  }
  return found;
}

const IMPORT =
  /^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gms;

/** Every TypeScript source, read once. */
export const sources: readonly Source[] = filesWith(['.ts']).map((path) => {
  const text = readFileSync(join(root, path), 'utf8');
  return { path, text, lines: text.split('\n'), imports: importsOf(path, text) };
});

function importsOf(path: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const name = match[2] ?? match[3] ?? '';
    const relative = name.startsWith('.');
    const clause = match[0].slice(0, match[0].length - name.length);
    const named = /\{([^}]*)\}/s.exec(clause)?.[1];
    const onlyTypes =
      named !== undefined &&
      named
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .every((part) => part.startsWith('type '));
    return {
      target: relative ? normalize(join(dirname(path), name)) : packageOf(name),
      relative,
      typeOnly: match[1] !== undefined || onlyTypes,
      line: text.slice(0, match.index).split('\n').length,
    };
  });
}

function packageOf(name: string): string {
  return name.startsWith('@')
    ? name.split('/').slice(0, 2).join('/')
    : (name.split('/')[0] ?? name);
}

/** Is it a test, or something only tests use? */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}
