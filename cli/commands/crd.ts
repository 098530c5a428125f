// `pinnace crd`: definitions of kinds that TypeScript modules export: written out, compared, and held to what a cluster has stored.
// Invariant: what it takes to know kinds (schemas, rules, zod) is loaded only when a command asks for it.
import type { Command } from 'commander';
import { type ConnectionFlags, withConnectionFlags } from './connection.ts';
import type { DiffFlags } from './crd-diff.ts';
import type { GenerateFlags } from './crd-generate.ts';

/** Adds the command. */
export function registerCrd(program: Command): void {
  const crd = program
    .command('crd')
    .description('definitions of kinds that TypeScript modules export (defineKind)');
  crd
    .command('generate')
    .argument('<file...>', 'modules that export kinds')
    .description('write the definition of every kind, as YAML')
    .option(
      '--out <folder>',
      'a file for each definition in this folder; standard output unless given',
    )
    .option('--reference', 'documentation of the fields in Markdown in place of definitions')
    .action(async (files: string[], flags: GenerateFlags) => {
      const { generateDefinitions } = await import('./crd-generate.ts');
      await generateDefinitions(files, flags);
    });
  withConnectionFlags(crd.command('diff'))
    .argument('<file...>', 'modules that export kinds')
    .description('tell what is different from the cluster; exit status 1 where something is')
    .option(
      '--against <path>',
      'a file or folder of definitions to compare with in place of the cluster',
    )
    .action(async (files: string[], flags: DiffFlags) => {
      const { diffKinds } = await import('./crd-diff.ts');
      await diffKinds(files, flags);
    });
  withConnectionFlags(crd.command('check'))
    .argument('<file...>', 'modules that export kinds')
    .description(
      'tell which stored objects would be invalid or lose fields; exit status 1 where some would',
    )
    .action(async (files: string[], flags: ConnectionFlags) => {
      const { checkKinds } = await import('./crd-check.ts');
      await checkKinds(files, flags);
    });
}
