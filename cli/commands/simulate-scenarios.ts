// What `pinnace simulate` does: runs of each scenario of a module, or one run again.
// Invariant: every scenario is run, whatever came of those before; what failed is told whole, and makes the exit status 1.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  explore,
  historyOf,
  isScenario,
  replay,
  type Scenario,
  type SimulationReport,
  storyOf,
  type Tape,
} from '../../testing/simulation/index.ts';
import { CommandFailure } from './command-failure.ts';

/** The flags of `pinnace simulate`, as they were typed. */
export interface SimulateFlags {
  readonly runs: string;
  readonly seed: string;
  readonly only?: string;
  readonly replay?: string;
  readonly tape?: string;
}

/** Runs the scenarios of a module. Throws a CommandFailure for flags that mean nothing. */
export async function simulateScenarios(file: string, flags: SimulateFlags): Promise<void> {
  const scenarios = chosen(await scenariosOf(file), { file, only: flags.only });
  if (flags.replay === undefined && flags.tape !== undefined)
    throw new CommandFailure('--tape goes with --replay, whose run it changes');
  const runs = numberOf(flags.runs, '--runs');
  const seed = numberOf(flags.seed, '--seed');
  for (const scenario of scenarios)
    if (flags.replay === undefined) tellReport(await explore(scenario, { runs, seed }));
    else await showRun(scenario, flags.replay, flags.tape);
}

function tellReport(report: SimulationReport): void {
  const { scenario, runs, seeds, elapsedMs, virtualMs, messages, failures } = report;
  const [first, last] = seeds;
  const perRun = (elapsedMs / Math.max(1, runs)).toFixed(1);
  const hours = (virtualMs / 3_600_000).toFixed(1);
  process.stdout.write(
    `${scenario}: ${failures.length > 0 ? 'FAILED' : 'nothing found'} in ${runs} runs ` +
      `(seeds ${first} to ${last}, ${messages} messages, ${hours} h of virtual time, ${perRun} ms a run)\n`,
  );
  for (const { story } of failures) process.stdout.write(`\n${story}\n\n`);
  if (failures.length > 0) process.exitCode = 1;
}

async function showRun(scenario: Scenario, seed: string, tape: string | undefined): Promise<void> {
  const options = { seed: numberOf(seed, '--replay') };
  const outcome = await replay(
    scenario,
    tape === undefined ? options : { ...options, tape: tapeOf(tape) },
  );
  process.stdout.write(`${historyOf(outcome)}\n\n${storyOf(outcome)}\n`);
  if (outcome.finding) process.exitCode = 1;
}

/** The scenarios of a module, by the names of its exports. */
async function scenariosOf(file: string): Promise<Map<string, Scenario>> {
  try {
    const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
    const found = new Map<string, Scenario>();
    for (const name of Object.keys(module).sort()) {
      const value = module[name];
      if (isScenario(value)) found.set(name, value);
    }
    return found;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(`${file} cannot be loaded: ${why}`);
  }
}

function chosen(
  byExport: ReadonlyMap<string, Scenario>,
  { file, only }: { readonly file: string; readonly only: string | undefined },
): readonly Scenario[] {
  const all = [...byExport.values()];
  if (all.length === 0)
    throw new CommandFailure(`${file} exports no scenario: export const name = scenario({ … })`);
  const exported = byExport.get(only ?? '');
  const exact = all.filter((each) => each === exported || each.name === only);
  const found = exact.length > 0 ? exact : all.filter(({ name }) => name.startsWith(only ?? ''));
  if (found.length > 0) return found;
  const names = all.map(({ name }) => `"${name}"`).join(', ');
  throw new CommandFailure(`${file} has no scenario "${only}"; it has ${names}`);
}

function numberOf(text: string, flag: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new CommandFailure(`${flag} takes a whole number, not "${text}"`);
}

function tapeOf(text: string): Tape {
  const wrong = new CommandFailure(
    `--tape takes JSON such as [["operator request 3",1]], as the story of a failure gives it`,
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong;
  }
  const isChoice = (each: unknown): boolean =>
    Array.isArray(each) && typeof each[0] === 'string' && Number.isInteger(each[1]);
  if (!Array.isArray(value) || !value.every(isChoice)) throw wrong;
  return value as unknown as Tape;
}
