// `pinnace simulate`: runs the scenarios that a TypeScript module exports, and tells the story of what fails.
// Invariant: no cluster is asked, and what it takes to simulate is loaded only when it is asked for.
import type { Command } from 'commander';
import type { SimulateFlags } from './simulate-scenarios.ts';

/** Adds the command. */
export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .argument('<file>', 'a module that exports scenarios')
    .description('run controllers on virtual time, with everything going wrong; from a seed')
    .option('--runs <number>', 'runs of each scenario', '100')
    .option('--seed <number>', 'the seed of the first run; the others follow on', '1')
    .option('--only <name>', 'the scenario of this name or export, or those whose names begin so')
    .option('--replay <seed>', 'one run again, with its whole history')
    .option('--tape <json>', 'with --replay: what is odd in it, as a story gives it')
    .action(async (file: string, flags: SimulateFlags) => {
      const { simulateScenarios } = await import('./simulate-scenarios.ts');
      await simulateScenarios(file, flags);
    });
}
