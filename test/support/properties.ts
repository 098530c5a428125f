// The library that draws values for properties, seeded: the short form draws the same values on every run, so that it fails
// for what was changed and not by luck; the long form (PINNACE_LONG=1) draws others each time, and prints the seed of what it finds.
// Invariant: every test of properties takes the library from here.
import fc from 'fast-check';

const SEED = 20_261_121;

if (process.env['PINNACE_LONG'] !== '1') fc.configureGlobal({ seed: SEED });

export { fc };
