// The museum of wrong controllers: simulation finds what is wrong with each, and nothing with the right one beside it.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explore, isScenario, type Scenario } from '../../testing/simulation/index.ts';

/** Each wrong controller is found within so many runs. */
const FOUND_WITHIN = 1000;
/** Each right controller passes so many; 10,000 in the long form. */
const PASSES = process.env['PINNACE_LONG'] ? 10_000 : 300;

const folder = join(import.meta.dirname, '../../examples/museum');

interface Exhibit {
  readonly wrong: Scenario;
  readonly right: Scenario;
}

const exhibits = await Promise.all(
  readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .map(async (file) => [file, (await import(join(folder, file))) as Exhibit] as const),
);

describe.each(exhibits)('the museum piece %s', (_, { wrong, right }) => {
  it('shows a wrong controller and a right one', () => {
    expect([isScenario(wrong), isScenario(right)]).toEqual([true, true]);
  });

  it('is found out', async () => {
    const { failures, runs } = await explore(wrong, { runs: FOUND_WITHIN });
    expect(failures).toHaveLength(1);
    process.stdout.write(`${wrong.name}: found in run ${runs} of ${FOUND_WITHIN}\n`);
  });

  it('is right once mended', async () => {
    const report = await explore(right, { runs: PASSES });
    expect(report.failures.map(({ story }) => story)).toEqual([]);
    expect(report.runs).toBe(PASSES);
  });
});
