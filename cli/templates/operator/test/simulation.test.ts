// A hundred runs of the scenario, each with a few odd things at moments that its seed decides.
import { simulate } from 'pinnace/testing';
import { it } from 'vitest';
import { changesOfMind } from './scenario.ts';

/** Far more than it takes: a second or two, on a machine with nothing else to do. */
const CEILING_MS = 120_000;

// Throws the story of what fails, as small as it can be made, with the seed that shows it again.
it(
  'keeps its word whatever is late, lost or dies',
  async () => {
    await simulate(changesOfMind, { runs: 100, seed: 1 });
  },
  CEILING_MS,
);
