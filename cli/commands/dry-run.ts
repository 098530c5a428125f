// The flag --dry-run of the commands that write, with kubectl's values and kubectl's words.
import { CommandFailure } from './command-failure.ts';

/** Store it; have the server check without storing; or only say what would be done. */
export type DryRun = 'none' | 'server' | 'client';

const MODES: readonly DryRun[] = ['none', 'server', 'client'];

/** Reads the flag's value. Throws for one that is unknown, before anything is written. */
export function readDryRun(value: string | undefined): DryRun {
  const mode = MODES.find((each) => each === (value ?? 'none'));
  if (mode === undefined)
    throw new CommandFailure(
      `Invalid dry-run value (${value}). Must be "none", "server", or "client".`,
    );
  return mode;
}

/** What stands behind an outcome that was not stored. */
export function dryRunSuffix(mode: DryRun): string {
  return { none: '', server: ' (server dry run)', client: ' (dry run)' }[mode];
}
