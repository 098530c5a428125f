// `pinnace new`: projects to begin with.
// Invariant: no cluster is asked, and what it takes to make a project is loaded only when one is asked for.
import type { Command } from 'commander';
import type { NewOperatorFlags } from './new-operator.ts';

/** Adds the command. */
export function registerNew(program: Command): void {
  const make = program.command('new').description('projects to begin with');
  make
    .command('operator')
    .argument('<name>', 'of the program, such as website-operator')
    .description('an operator with its kind, controller, tests, simulation and manifests')
    .option('--dir <folder>', 'where; a folder of its name unless given')
    .option('--group <group>', 'API group of its kind', 'example.com')
    .option('--kind <kind>', 'name of its kind; made of its own name unless given')
    .action(async (name: string, flags: NewOperatorFlags) => {
      const { newOperator } = await import('./new-operator.ts');
      await newOperator(name, flags);
    });
}
