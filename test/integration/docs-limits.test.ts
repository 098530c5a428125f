// docs/limits.md names limits as the code does, and all of them: a constant that is renamed, moved, gone or never told is found here.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isTest, sources } from '../tidy/sources.ts';

/** A row's constants and their file; a row may have several of one file. */
const rows = readFileSync('docs/limits.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, constants, file] =
      /^\|[^|]*\| ((?:`[A-Z_0-9]+`(?:, )?)+) \| `([^`]+)` \|/.exec(line) ?? [];
    if (constants === undefined || file === undefined) return [];
    return [...constants.matchAll(/`(\w+)`/g)].map(
      ([, constant = '']) => [constant, file] as const,
    );
  });

/** Named like limits, and none of ours: names of annotations, scales, and bounds that the API itself sets on a field. */
const NO_LIMITS = new Set([
  'MAX_REPLICAS controllers/deployment/revision.ts',
  'MAX_SCORE scheduler/framework/plugin.ts',
  'MAX_USER_PRIORITY api/scheduling/priority-class.ts',
  'MAX_WINDOW_MS controllers/hpa/history.ts',
  'MAX_PERIOD_MS controllers/hpa/history.ts',
]);

/** What is exported is what others, its tests among them, meet; what a file keeps to itself its header tells of. */
const exported = sources
  .filter(({ path }) => !isTest(path) && !/^(tools|examples)\//.test(path))
  .flatMap(({ path, text }) =>
    [...text.matchAll(/^export const (MAX_[A-Z_0-9]+)\b/gm)].map(([, name]) => `${name} ${path}`),
  );

describe('docs/limits.md', () => {
  it('has rows', () => expect(rows.length).toBeGreaterThan(30));

  it.each(rows)('names %s, which is in %s', (constant, file) => {
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`\\bconst ${constant}\\b`));
  });

  it('names every limit that is exported', () => {
    const told = new Set(rows.map((row) => row.join(' ')));
    expect(exported.length).toBeGreaterThan(100);
    expect(exported.filter((each) => !told.has(each) && !NO_LIMITS.has(each))).toEqual([]);
  });

  it('is held to no exception that is gone', () => {
    expect([...NO_LIMITS].filter((each) => !exported.includes(each))).toEqual([]);
  });
});
