// The story of a run: what was odd as sentences, and what repeats itself told once.
import { expect, it } from 'vitest';
import type { HistoryEntry } from './history.ts';
import { oddText } from './message-texts.ts';
import { ODDS } from './odds.ts';
import { historyOf, storyOf } from './report.ts';
import type { RunOutcome } from './outcome.ts';

const entry = (atMs: number, text: string, isOdd = false): HistoryEntry => ({
  atMs,
  who: 'p',
  text,
  isOdd,
});

const outcomeOf = (history: readonly HistoryEntry[]): RunOutcome => ({
  scenario: 'pure',
  seed: 1,
  tape: [['p request 1', 6]],
  finding: { kind: 'hot loop', invariant: 'nothing is done again and again', detail: '' },
  history,
  hash: 'abc',
  messages: 0,
  virtualMs: 0,
  written: [],
});

/** What happened, as the story shows it. */
const happened = (history: readonly HistoryEntry[]): string[] => {
  const [, after = ''] = storyOf(outcomeOf(history)).split('What happened:\n');
  return (after.split('\n\n', 1)[0] ?? '').split('\n').map((line) => line.trim());
};

it('tells once what comes again and again, with how often, and goes on after it', () => {
  const loop = Array.from({ length: 500 }, (_, i) => [entry(i, 'asks'), entry(i, 'is refused')]);
  const odd = entry(0, 'the request is lost', true);
  const history = [entry(0, 'starts'), odd, ...loop.flat(), entry(500, 'ends')];
  expect(happened(history)).toEqual([
    '+0.000s p starts',
    '!+0.000s p the request is lost',
    '+0.000s p asks',
    '+0.000s p is refused',
    '+0.499s … and so 499 times more',
    '+0.500s p ends',
  ]);
  expect(historyOf(outcomeOf(history)).split('\n')).toHaveLength(history.length + 1);
});

it('leaves out bookmarks, which say nothing, and keeps them in the whole history', () => {
  const marks = ['pods', 'nodes', 'jobs'].map((kind) => entry(60_000, `← BOOKMARK ${kind} at 9`));
  const history = [entry(0, 'starts'), ...marks, entry(70_000, 'ends')];
  expect(happened(history)).toEqual(['+0.000s p starts', '+70.000s p ends']);
  expect(historyOf(outcomeOf(history))).toContain('← BOOKMARK nodes at 9');
});

it('shows what was written last, and by whom, as what is deleted looks like what is there', () => {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
  const written = [{ atMs: 1500, by: 'operator', type: 'deleted' as const, object }];
  expect(storyOf({ ...outcomeOf([]), written })).toContain(
    'What was written last:\n  # deleted at +1.500s by operator\n  apiVersion: v1\n',
  );
});

it('leaves alone what is said twice, and what is odd', () => {
  const twice = [entry(0, 'asks'), entry(1, 'asks'), entry(2, 'ends')];
  expect(happened(twice)).toHaveLength(3);
  const odd = [1, 2, 3].map((at) => entry(at, 'the request is lost', true));
  expect(happened(odd)).toHaveLength(3);
});

it('says of each odd thing what befalls which message', () => {
  const sentences = new Set(
    ODDS.reply.concat(ODDS.event).map((odd) => oddText(odd, 'reply 200 to GET /api/v1/pods')),
  );
  expect(sentences).toContain(
    'at the reply 200 to GET /api/v1/pods, the program stands still for 20 s',
  );
  expect(sentences).toContain('the reply 200 to GET /api/v1/pods is held back for 5 ms');
  for (const sentence of sentences)
    expect(sentence).toMatch(/^(at )?the reply 200 to GET \/api\/v1\/pods(,| is| and| never) /);
});
