// The framework for controllers: what it costs whoever writes and tests one. Each group of rows is a file of its own.
// Invariant: groups are measured one after the other, each in a directory of its own.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { measureClusters } from './framework-cluster.ts';
import { measureInformers } from './framework-informers.ts';
import { measureNodes } from './framework-nodes.ts';
import { measureReconciles } from './framework-reconciles.ts';
import type { Note, Part } from './part.ts';

/** Groups of rows: each notes its own. */
const ROWS: readonly ((note: Note, directory: string) => Promise<void>)[] = [
  measureClusters,
  measureReconciles,
  measureInformers,
  measureNodes,
];

/** What `npm run bench -- framework` measures. */
export const framework: Part = {
  name: 'framework',
  async measure(note, directory) {
    for (const rows of ROWS) await rows(note, mkdtempSync(join(directory, 'f-')));
  },
};
