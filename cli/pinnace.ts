// The `pinnace` command: reads arguments and hands over to one command. Everything heavy is imported by the command that needs it.
// Invariant: a failure of use is one line on standard error and exit status 1 (2 for wrong arguments); a stack is shown for defects only.
import { Command, CommanderError } from 'commander';
import { StatusError } from '../api/status.ts';
import { CommandFailure } from './commands/command-failure.ts';
import { KubeconfigError } from '../client/kubeconfig/kubeconfig.ts';
import { registerClientCommands } from './commands/register.ts';
import { registerServeCommands } from './serve/register.ts';
import { UsageError } from './serve/data-directory.ts';

// Node warns of experimental features that this program uses knowingly (type stripping); other warnings are shown.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning')
    process.stderr.write(`${warning.stack ?? warning.message}\n`);
});

const program = new Command('pinnace')
  .description('A Kubernetes in TypeScript: one machine, two processes, real containers.')
  .showHelpAfterError('(pinnace --help lists the commands)')
  .exitOverride();
registerServeCommands(program);
registerClientCommands(program);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof StatusError) {
    process.stderr.write(`Error from server (${error.reason}): ${error.message}\n`);
    return 1;
  }
  if (
    error instanceof UsageError ||
    error instanceof CommandFailure ||
    error instanceof KubeconfigError
  ) {
    process.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
  process.stderr.write(
    `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}
