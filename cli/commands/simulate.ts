// `pinnace simulate`: runs the scenarios that a TypeScript module exports, and tells the story of what fails.
// Invariant: no cluster is asked, and what it takes to simulate is loaded only when it is asked for.
import type { Command } from 'commander';
import type { SimulateFlags } from './simulate-scenarios.ts';
import type { TrafficFlags } from './simulate-traffic.ts';

/** Adds the command. */
export function registerSimulate(program: Command): void {
  const simulate = program
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
  registerTraffic(simulate);
}

/** Adds `pinnace simulate traffic`. */
function registerTraffic(simulate: Command): void {
  simulate
    .command('traffic')
    .description('compare autoscalers over a curve of traffic, on virtual time')
    .requiredOption('--curve <file>', 'CSV: a time and requests per second in each line')
    .requiredOption(
      '--hpa <file>',
      'a HorizontalPodAutoscaler; once for each that is compared',
      (file: string, before: readonly string[] | undefined) => [...(before ?? []), file],
    )
    .option('--deployment <file>', 'the Deployment that is scaled; one is made unless given')
    .option('--request <quantity>', 'CPU that a pod of a made Deployment asks for', '500m')
    .option('--limit <quantity>', 'CPU that a pod of a made Deployment may have')
    .option('--cpu-ms <number>', 'processor time of one request, in milliseconds', '10')
    .option(
      '--capacity <number>',
      'requests per second that a pod can serve; what its limit of CPU allows unless given',
    )
    .option('--start-seconds <number>', "from a container's start until its pod is ready", '30')
    .option('--patience-seconds <number>', 'a request that waits for longer is lost', '10')
    .option('--figures-seconds <number>', 'how often nodes tell what pods use, 1 to 30', '15')
    .option(
      '--pace <name>',
      'how autoscalers are run: as by upstream, or as by pinnace',
      'upstream',
    )
    .option('--interpolate', 'draw a straight line over gaps of the curve')
    .option('--seed <number>', 'what names and jitter come from', '1')
    .option('--out <file>', 'write a page with charts')
    .option('--json <file>', 'write everything that was recorded')
    .action(async (flags: TrafficFlags) => {
      const { compareTraffic } = await import('./simulate-traffic.ts');
      await compareTraffic(flags);
    });
}
