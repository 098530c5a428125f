// docs/guide/simulation.md does what it says: its test passes, its types are right, its words name what there is.
import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { STEADY_MS } from '../../testing/simulation/ending.ts';
import { MOST_ODDS, SIMULATION_LIMITS, WITHIN_MS } from '../../testing/simulation/scenario.ts';
import { REPEATED_EVERY } from '../../testing/simulation/simulate.ts';
import { guideFiles } from '../support/guide.ts';

const guide = guideFiles('docs/guide/simulation.md');
afterAll(() => guide.remove());

it('has right types', async () => {
  expect(guide.names).toEqual(['workers.ts', 'workers.test.ts']);
  expect(await guide.faults()).toBe('');
});

it('has a test that passes', async () => {
  const { code, said } = await guide.test();
  expect(said).toContain('Tests  1 passed (1)');
  expect(code).toBe(0);
});

it('says the figures that are', () => {
  const text = readFileSync('docs/guide/simulation.md', 'utf8').replaceAll(/\s+/g, ' ');
  expect(text).toContain(`at most \`most\` (${MOST_ODDS}) in one run`);
  expect(text).toContain(`\`within\` (${WITHIN_MS / 1000} s of virtual time unless given)`);
  expect(text).toContain(`stay so for ${STEADY_MS / 1000} s`);
  expect(text).toContain(
    `repeated ${SIMULATION_LIMITS.perSecond.toLocaleString('en')} times within a virtual second`,
  );
  expect(REPEATED_EVERY).toBe(50);
  expect(text).toContain('one in fifty others');
});
