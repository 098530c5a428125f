// docs/guide/testing.md does what it says: its tests pass, its types are right, its tables name what there is.
import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { PATIENCE_MS, VIRTUAL_PATIENCE_MS } from '../../testing/eventually/wait.ts';
import { faults } from '../../testing/index.ts';
import { guideFiles } from '../support/guide.ts';

const guide = guideFiles('docs/guide/testing.md');
afterAll(() => guide.remove());

it('has right types', async () => {
  expect(guide.names).toEqual(['expiry.ts', 'expiry.test.ts', 'faults.test.ts']);
  expect(await guide.faults()).toBe('');
});

it('has tests that pass', async () => {
  const { code, said } = await guide.test();
  expect(said).toContain('Tests  3 passed (3)');
  expect(code).toBe(0);
});

it('names every fault, and how long is waited', () => {
  const text = readFileSync('docs/guide/testing.md', 'utf8');
  const named = [...text.matchAll(/`(\w+)(?:\(\w+\))?`(?=[^\n]* \|)/g)].map(([, name]) => name);
  for (const name of Object.keys(faults)) expect(named).toContain(name);
  expect(text).toContain(
    `over after ${PATIENCE_MS / 1000} s, or ${VIRTUAL_PATIENCE_MS / 60_000} minutes`,
  );
});
