// The programs that a cluster is made of besides the command itself, and how Node is told to run them.
// Invariant: whoever starts one, or makes ready for its start, asks here.
import { fileURLToPath } from 'node:url';

/** `up-command` is what `pinnace up` becomes; the others are processes of their own. */
export const PROGRAMS = ['up-command', 'control-plane', 'node', 'clean-up'] as const;
/** One of them. */
export type Program = (typeof PROGRAMS)[number];

/**
 * Keep each process small: figures in docs/performance.md. The control plane's young generation has room for several times what
 * 64 writes that go side by side hold (6 MB): with no more than that, all of them were copied at each collection.
 */
const FLAGS: Readonly<Partial<Record<Program, readonly string[]>>> = {
  'control-plane': ['--max-semi-space-size=32'],
  node: ['--max-semi-space-size=2', '--optimize-for-size'],
};

/** The agent does little at once: with one arena, malloc keeps 5 MB less for threads that wait. */
const ENVIRONMENT: Readonly<Partial<Record<Program, Readonly<Record<string, string>>>>> = {
  node: { MALLOC_ARENA_MAX: '1' },
};

/** The program's file. */
export const programOf = (name: Program): string =>
  fileURLToPath(new URL(`./${name}.ts`, import.meta.url));

/** Flags for Node. */
export const flagsOf = (name: Program): readonly string[] => FLAGS[name] ?? [];

/** Variables beside those of whoever starts it. */
export const environmentOf = (name: Program): Readonly<Record<string, string>> =>
  ENVIRONMENT[name] ?? {};
