// docs/limits.md names limits as the code does: a constant that is renamed, moved or gone is found here.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const rows = readFileSync('docs/limits.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, constant, file] = /^\|[^|]*\| `([A-Z_]+)` \| `([^`]+)` \|/.exec(line) ?? [];
    return constant !== undefined && file !== undefined ? [[constant, file] as const] : [];
  });

it('has rows', () => expect(rows.length).toBeGreaterThan(30));

it.each(rows)('%s is in %s', (constant, file) => {
  expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`\\bconst ${constant}\\b`));
});
