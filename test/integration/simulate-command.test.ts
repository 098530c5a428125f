// `pinnace simulate`: scenarios of a module run from seeds, what fails told as a story, and one run shown again.
import { describe, expect, it } from 'vitest';
import { CommandFailure } from '../../cli/commands/command-failure.ts';
import { simulateScenarios } from '../../cli/commands/simulate-scenarios.ts';
import { runPinnace } from '../support/pinnace.ts';

const MODULE = 'examples/museum/lost-update.ts';

describe('pinnace simulate', () => {
  it('runs every scenario, tells the story of what fails, and shows the run again', async () => {
    const { code, stdout } = await runPinnace(['simulate', MODULE, '--runs', '90']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^lost update: right: nothing found in 90 runs \(seeds 1 to 90, /m);
    expect(stdout).toMatch(/^lost update: wrong: FAILED in \d+ runs/m);
    expect(stdout).toContain('What was odd:');
    const [, seed = '', tape = ''] = /--replay (\d+) --tape '(.*)'$/m.exec(stdout) ?? [];
    const replay = ['simulate', MODULE, '--only', 'lost update: wrong', '--replay', seed];
    const [first, second] = [
      await runPinnace([...replay, '--tape', tape]),
      await runPinnace([...replay, '--tape', tape]),
    ];
    expect(first.code).toBe(1);
    expect(first.stdout).toMatch(/^history [0-9a-f]{64}$/m);
    expect(second.stdout).toBe(first.stdout);
  });

  it('runs one scenario, by the name of its export', async () => {
    const { code, stdout } = await runPinnace(['simulate', MODULE, '--only', 'wrong']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^lost update: wrong: FAILED in \d+ runs/m);
    expect(stdout).not.toContain('lost update: right:');
  });

  it.each([
    ['no-such.ts', {}, 'no-such.ts cannot be loaded: '],
    ['base/clock.ts', {}, 'base/clock.ts exports no scenario'],
    [MODULE, { only: 'x' }, 'has no scenario "x"; it has "lost update: right"'],
    [MODULE, { runs: 'many' }, '--runs takes a whole number, not "many"'],
    [MODULE, { replay: '-1' }, '--replay takes a whole number, not "-1"'],
    [MODULE, { tape: '[]' }, '--tape goes with --replay'],
    [MODULE, { replay: '1', tape: '{"a":1}' }, '--tape takes JSON such as'],
    [MODULE, { replay: '1', tape: '[["a"]]' }, '--tape takes JSON such as'],
    [MODULE, { replay: '1', tape: '[[' }, '--tape takes JSON such as'],
  ])('refuses %s with %j, and says what to do', async (file, flags, message) => {
    const asked = simulateScenarios(file, { runs: '1', seed: '1', ...flags });
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toBeInstanceOf(CommandFailure);
  });
});
