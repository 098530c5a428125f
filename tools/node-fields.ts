// Writes what the node agent makes of PodSpec into docs/node.md: `node tools/node-fields.ts`.
// Invariant: only what stands between the two marks of the page is written; the same data make the same text.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fate, POD_SPEC_FIELDS } from '../test/lives/pod-spec-fields.ts';

/** The page, from the repository's root. */
export const NODE_PAGE = 'docs/node.md';
const BEGIN = '<!-- fields: written by tools/node-fields.ts -->';
const END = '<!-- end of fields -->';

/** A table for each type. */
export function fieldTables(): string {
  return Object.entries(POD_SPEC_FIELDS)
    .map(([type, fields]) => {
      const rows = Object.entries(fields).map(
        ([field, fate]) => `| \`${field}\` | ${wordOf(fate)} | ${fate.note} |`,
      );
      return [`### ${type}`, '', '| field | | |', '|---|---|---|', ...rows].join('\n');
    })
    .join('\n\n');
}

const wordOf = ({ is }: Fate): string => (is === 'elsewhere' ? 'by others' : is);

/** The page with the tables in the place of those that it has. Throws where it has no marks. */
export function withTables(page: string, tables: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${NODE_PAGE} lacks its marks`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${tables}\n\n${page.slice(to)}`;
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '..', NODE_PAGE);
  writeFileSync(path, withTables(readFileSync(path, 'utf8'), fieldTables()));
}
