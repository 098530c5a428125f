// The reference: everything that the package exports has a doc comment, its links lead somewhere, and its pages are whole.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REFERENCE_CONFIG, REFERENCE_ENTRIES } from '../../tools/reference/entries.ts';
import { referenceFaults } from '../../tools/reference/faults.ts';
import { referencePages } from '../../tools/reference/pages.ts';
import { readExports } from '../../tools/reference/read-exports.ts';
import { root } from './sources.ts';

it('has an entry for each module that the package exports', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string>;
  };
  const entries = REFERENCE_ENTRIES.map(({ file, name }) => [
    name.replace('pinnace', '.'),
    `./${file}`,
  ]);
  const modules = Object.entries(exports).filter(([, file]) => file.endsWith('.ts'));
  expect(entries).toEqual(modules);
});

it('tells of every export, and every link within leads to a heading', () => {
  const entries = readExports(root, REFERENCE_CONFIG, REFERENCE_ENTRIES);
  expect(referenceFaults(root, entries)).toEqual([]);
  const pages = referencePages(entries);
  const headings = new Set([...pages].flatMap(([name, text]) => headingsOf(name, text)));
  expect(headings).toContain('client.md#resourceclient');
  // What a function of a user's has to name in order to take it from a reconcile's context.
  for (const type of ['clock', 'random', 'logger', 'eventnote', 'informerfactory'])
    expect(headings).toContain(`client.md#${type}`);
  const links = [...pages.values()].flatMap((text) =>
    [...text.matchAll(/\]\(([\w-]+\.md#[\w-]+)\)/g)].map(([, link]) => link),
  );
  expect(links.length).toBeGreaterThan(300);
  expect(links.filter((link) => !headings.has(link ?? ''))).toEqual([]);
});

/** As Markdown's readers make anchors of headings: a heading that was there before gets a number. */
function headingsOf(name: string, text: string): string[] {
  const seen = new Map<string, number>();
  return [...text.matchAll(/^### (.*)$/gm)].map(([, title = '']) => {
    const heading = title.toLowerCase();
    const times = seen.get(heading) ?? 0;
    seen.set(heading, times + 1);
    return `${name}#${heading}${times === 0 ? '' : `-${times}`}`;
  });
}

const MODULE = `// Dials.

/** A dial. See {@link Knob}, [here](made.ts) and [there](gone.md). */
export class Dial {
  readonly #size = 1;
  /** How far. */
  turn(by: number): number {
    return this.#size + by;
  }
}
export const silent = 1;
/** Turns a {@link Dial}. */
export function turn(dial: Dial): number {
  return dial.turn(1);
}
`;

it('finds what has no doc comment, and links that lead nowhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reference-'));
  try {
    writeFileSync(join(folder, 'made.ts'), MODULE);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ files: ['made.ts'] }));
    const entries = readExports(folder, 'tsconfig.json', [{ name: 'made/dials', file: 'made.ts' }]);
    expect(referenceFaults(folder, entries)).toEqual([
      'made.ts:4 Dial: links to Knob, which is not exported',
      'made.ts:4 Dial: links to gone.md, which is not there',
      'made.ts:11 silent: has no doc comment',
    ]);
    const page = referencePages(entries).get('dials.md');
    expect(page).toContain('\nDials.\n');
    expect(page).toContain('Turns a [Dial](dials.md#dial).');
    expect(page).toContain('```ts\nexport function turn(dial: Dial): number\n```');
    expect(page).toContain('  /** How far. */\n  turn(by: number): number\n}');
    expect(page).toContain('[made.ts:11](../../made.ts#L11)');
    expect(page).not.toContain('#size');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
