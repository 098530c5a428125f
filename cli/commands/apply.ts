// `pinnace apply -f`: see apply-files.ts.
import type { Command } from 'commander';
import { applyFiles } from './apply-files.ts';
import { connected, type ConnectionFlags, withConnectionFlags } from './connection.ts';
import { readDryRun } from './dry-run.ts';

interface ApplyFlags extends ConnectionFlags {
  readonly filename: string[];
  readonly recursive?: boolean;
  readonly dryRun?: string;
}

/** Adds the command. */
export function registerApply(program: Command): void {
  withConnectionFlags(program.command('apply'))
    .description('create or change objects as manifests say')
    .requiredOption('-f, --filename <path...>', 'files or folders; - is standard input')
    .option('-R, --recursive', 'folders within the folders, too')
    .option(
      '--dry-run <mode>',
      '"server" checks without storing, "client" only says what it would do',
    )
    .action(async (flags: ApplyFlags) => {
      const dryRun = readDryRun(flags.dryRun);
      await connected(flags, async ({ client, namespace }) => {
        await applyFiles(client, flags.filename, {
          namespace,
          namespaceAsked: flags.namespace !== undefined,
          dryRun,
          recursive: flags.recursive,
          onLine: (line) => process.stdout.write(`${line}\n`),
        });
      });
    });
}
