// The command line as kubectl's users type it: `-o=wide`, `--wait=false`, and flags of the connection before the command.
import type { Command } from 'commander';

/** Splits `-o=wide` in two, since a short flag would take the `=` for a part of its value; `--wait=false` is `--no-wait`. */
export function withoutShortEquals(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.flatMap((arg, at) => {
    if (end >= 0 && at > end) return [arg];
    const wait = /^--wait=(true|false)$/.exec(arg);
    if (wait) return [wait[1] === 'true' ? '--wait' : '--no-wait'];
    const short = /^(-[A-Za-z])=(.*)$/s.exec(arg);
    return short ? [short[1] ?? '', short[2] ?? ''] : [arg];
  });
}

/** Hands flags that stood before the command to it, unless it was given its own. Throws for one that it does not know. */
export function handDownFlags(program: Command, command: Command): void {
  for (const [name, value] of Object.entries(program.opts())) {
    const option = program.options.find((each) => each.attributeName() === name);
    if (!command.options.some((each) => each.attributeName() === name))
      command.error(`error: ${command.name()} has no option '${option?.long ?? name}'`);
    if (command.getOptionValueSource(name) !== 'cli') command.setOptionValue(name, value);
  }
}

/** Commands that only tell: when nobody reads what they say any more, they are done. */
const READERS = new Set(['get', 'describe', 'logs', 'top', 'ls']);
/** What a shell says of a program that a closed pipe ended (128 + SIGPIPE). */
const CLOSED_PIPE_STATUS = 141;

/** What happens when the reader of standard output goes away: a reading command ends, any other does its work to the end. */
export function quietPipes(command: () => string): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (READERS.has(command())) process.exit(CLOSED_PIPE_STATUS);
    });
}
