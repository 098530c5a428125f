// The museum's pieces, as its tests take them.
// Invariant: every module of examples/museum is a piece, so that none goes untested.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../../testing/simulation/index.ts';

const folder = join(import.meta.dirname, '../../examples/museum');

/** A bug, and the same controller without it. */
export interface Exhibit {
  readonly name: string;
  readonly wrong: Scenario;
  readonly right: Scenario;
}

/** All of them, by name. */
export function exhibits(): Promise<Exhibit[]> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  return Promise.all(
    files.sort().map(async (file) => {
      const scenarios = (await import(join(folder, file))) as Omit<Exhibit, 'name'>;
      return { ...scenarios, name: file.replace(/\.ts$/, '') };
    }),
  );
}
