// docs/api-coverage.md is what the server serves now. Invariant: the page that is compared is the one that `npm run coverage` writes.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { coverageDocument } from '../../tools/api-level/coverage-document.ts';

it('the page on what is served is up to date (`npm run coverage` makes it so)', async () => {
  const page = new URL('../../docs/api-coverage.md', import.meta.url);
  expect(readFileSync(page, 'utf8').split('\n')).toEqual((await coverageDocument()).split('\n'));
});
