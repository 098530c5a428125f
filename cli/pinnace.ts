// The `pinnace` command: reads arguments and hands over to one command. Everything heavy is imported by the command that needs it.
// Invariant: a failure of use is a line on standard error and exit status 1 (2 for wrong arguments); a stack is shown for defects only.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { handDownFlags, quietPipes, withoutShortEquals } from './command-line.ts';
import { failureLines } from './commands/command-failure.ts';
import { withConnectionFlags } from './commands/connection.ts';
import { registerClientCommands } from './commands/register.ts';
import { registerServeCommands } from './serve/register.ts';
import { UsageError } from './serve/data-directory.ts';

// Node warns of experimental features that this program uses knowingly (type stripping); other warnings are shown.
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning')
    process.stderr.write(`${warning.stack ?? warning.message}\n`);
});

let running = '';
quietPipes(() => running);
const program = withConnectionFlags(new Command('pinnace'))
  .description('A Kubernetes in TypeScript: one machine, two processes, real containers.')
  .version(version(), '--version')
  .enablePositionalOptions()
  .showHelpAfterError('(pinnace --help lists the commands)')
  .exitOverride()
  .hook('preAction', (_, command) => {
    running = command.name();
    handDownFlags(program, command);
  });
registerServeCommands(program);
registerClientCommands(program);

try {
  await program.parseAsync(withoutShortEquals(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  process.exitCode = report(error);
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = error instanceof UsageError ? [`error: ${error.message}`] : failureLines(error);
  process.stderr.write(`${(lines ?? [`error: ${stack}`]).join('\n')}\n`);
  return 1;
}
