// The museum's right controllers: simulation finds nothing with any.
import { expect, it } from 'vitest';
import { explore } from '../../testing/simulation/index.ts';
import { exhibits } from '../support/museum.ts';

const LONG = Boolean(process.env['PINNACE_LONG']);
/** Each passes so many runs. */
const PASSES = LONG ? 10_000 : 50;
/** A ceiling: ten thousand runs of the slowest take minutes on a busy host. */
const TIMEOUT_MS = LONG ? 7_200_000 : 600_000;

it.each(await exhibits())(
  'the museum piece $name is right once mended',
  async ({ right }) => {
    const report = await explore(right, { runs: PASSES });
    expect(report.failures.map(({ story }) => story)).toEqual([]);
    expect(report.runs).toBe(PASSES);
  },
  TIMEOUT_MS,
);
