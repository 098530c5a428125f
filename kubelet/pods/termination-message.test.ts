// The last words of a container from its log, which runtimes write apart from its end.
import { beforeEach, expect, it } from 'vitest';
import { MemoryLogs } from '../host/memory/memory-logs.ts';
import { aState, ended } from './fixtures/pod-scenes.ts';
import { withLastWords } from './termination-message.ts';

const PATH = '/logs/app.log';
let logs: MemoryLogs;
beforeEach(() => {
  logs = new MemoryLogs();
  logs.begin(PATH);
});

const say = (text: string) => logs.append(PATH, `2026-01-02T03:04:05Z stdout F ${text}`);
const asking = { terminationMessagePolicy: 'FallbackToLogsOnError' };

async function wordsOf(annotations: Readonly<Record<string, string>> = asking, exitCode = 1) {
  const status = { ...ended('app', exitCode), annotations, logPath: PATH };
  const state = await withLastWords(aState([status]), logs);
  return state.containers.get('app')?.[0]?.message;
}

it('are what the log says by then, also when the end was told before all of it was written', async () => {
  expect(await wordsOf()).toBeUndefined();
  say('I die');
  expect(await wordsOf()).toBe('I die\n');
  say('of thirst');
  expect(await wordsOf()).toBe('I die\nof thirst\n');
});

it('are 80 lines at most', async () => {
  for (let i = 0; i < 100; i++) say(`${i}`);
  expect((await wordsOf())?.trim().split('\n').slice(-81)).toEqual(
    Array.from({ length: 80 }, (_, i) => `${i + 20}`),
  );
});

it('are 2 KiB at most', async () => {
  say('x'.repeat(3000));
  say('the end');
  expect(await wordsOf()).toMatch(/^x{2039}\nthe end\n$/);
});

it('are not asked for by a good end, nor without the policy', async () => {
  say('chatter');
  expect([await wordsOf(asking, 0), await wordsOf({})]).toEqual([undefined, undefined]);
});
