// `pinnace apply -f`: see apply-files.ts.
import type { Command } from 'commander';
import { applyFiles } from './apply-files.ts';
import { connected, type ConnectionFlags, withConnectionFlags } from './connection.ts';

interface ApplyFlags extends ConnectionFlags {
  readonly filename: string[];
  readonly dryRun?: string;
}

/** Adds the command. */
export function registerApply(program: Command): void {
  withConnectionFlags(program.command('apply'))
    .description('create or change objects as manifests say')
    .requiredOption('-f, --filename <path...>', 'files or folders; - is standard input')
    .option('--dry-run <mode>', '"server" checks without storing')
    .action(async (flags: ApplyFlags) => {
      await connected(flags, async ({ client, namespace }) => {
        await applyFiles(client, flags.filename, {
          namespace,
          ...(flags.dryRun === 'server' ? { dryRun: true } : {}),
          onLine: (line) => process.stdout.write(`${line}\n`),
        });
      });
    });
}
