// The notes of pulls in a file, which outlives the agent. Invariant: a reader sees the old text or the new one, never a part.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { PullNotes } from './pull-access.ts';

/** One file; its folder is there. */
export class PullNotesFile implements PullNotes {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  read(): string | undefined {
    try {
      return readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  write(text: string): void {
    const draft = `${this.#path}.draft`;
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, this.#path);
  }
}
