// Tells a failed run as a story that a person can follow: what broke, what was odd, what happened around it, what there was in the end.
// Invariant: pure; the story alone says how to see the same again.
import { yamlOf } from '../yaml.ts';
import type { HistoryEntry } from './history.ts';
import type { RunOutcome } from './outcome.ts';

/** Entries shown before and after each odd thing. */
const AROUND = 6;
/** Entries shown before the end. */
const LAST = 14;
/** What is said again at once, up to so many entries of it, is told once where it comes so often. */
const LONGEST_REFRAIN = 6;
const REFRAINS_TOLD_ONCE = 3;

/** The story of a run. `first`: the run before it was made small. */
export function storyOf(outcome: RunOutcome, first: RunOutcome = outcome): string {
  const { finding, scenario, seed, tape } = outcome;
  const parts = [
    `${scenario}: ${finding?.invariant ?? 'nothing was found'}`,
    headline(outcome, first),
    ...(finding?.detail ? [indented(finding.detail)] : []),
    '',
    oddPart(outcome),
    '',
    'What happened:',
    ...shownEntries(folded(outcome.history.filter(isNews))).map(entryText),
    '',
    ...writtenPart(outcome.written),
    `The same again:      replay(scenario, { seed: ${seed}, tape: ${JSON.stringify(tape)} })`,
    `on the command line: pinnace simulate FILE --only '${scenario}' --replay ${seed} --tape '${JSON.stringify(tape)}'`,
  ];
  return parts.join('\n');
}

/** Everything that happened in a run, a line each. */
export function historyOf({ history, hash }: RunOutcome): string {
  return [...history.map(entryText), `history ${hash}`].join('\n');
}

const KINDS: Readonly<Record<NonNullable<RunOutcome['finding']>['kind'], string>> = {
  always: 'must always hold, and was broken',
  eventually: 'had to come to hold, and did not',
  story: 'the story could not go on',
  program: 'a program under test is at fault',
  'hot loop': 'there is a hot loop',
  limit: 'the run did not end',
  repeat: 'the run cannot be repeated',
};

function headline({ finding, seed, virtualMs, tape }: RunOutcome, first: RunOutcome): string {
  const kind = finding ? KINDS[finding.kind] : 'every condition held';
  const shrunk =
    first.tape.length > tape.length ? `, made small from ${first.tape.length} odd things` : '';
  return `  ${kind} (seed ${seed}, after ${seconds(virtualMs)} of virtual time${shrunk})`;
}

function oddPart({ history }: RunOutcome): string {
  const odd = history.filter(({ isOdd }) => isOdd);
  if (odd.length === 0) return 'Nothing odd happened: it fails by itself.';
  const lines = odd.map(({ atMs, who, text }, i) => `  ${i + 1}. ${moment(atMs)} ${who}: ${text}`);
  return ['What was odd:', ...lines].join('\n');
}

/** Bookmarks say that nothing happened, and there is one of each watch each minute. */
const isNews = ({ text }: HistoryEntry): boolean => !text.startsWith('← BOOKMARK ');

/** The history, told once what follows upon itself again and again: retries, and loops. */
function folded(history: readonly HistoryEntry[]): HistoryEntry[] {
  const told: HistoryEntry[] = [];
  for (let from = 0; from < history.length; ) {
    const { length, times } = refrainAt(history, from);
    told.push(...history.slice(from, from + length));
    from += length * times;
    const last = history[from - 1];
    if (times > 1 && last) told.push({ ...last, who: '…', text: `and so ${times - 1} times more` });
  }
  return told;
}

/** How many entries make up the refrain that begins here, and how often it comes; one entry, once, where there is none. */
function refrainAt(history: readonly HistoryEntry[], from: number) {
  for (let length = 1; length <= LONGEST_REFRAIN; length++) {
    let times = 1;
    while (isRepeated(history, { from, at: from + length * times, length })) times++;
    if (times >= REFRAINS_TOLD_ONCE) return { length, times };
  }
  return { length: 1, times: 1 };
}

function isRepeated(
  history: readonly HistoryEntry[],
  { from, at, length }: { readonly from: number; readonly at: number; readonly length: number },
): boolean {
  for (let i = 0; i < length; i++) {
    const [a, b] = [history[from + i], history[at + i]];
    if (!a || !b || a.isOdd || b.isOdd || a.who !== b.who || a.text !== b.text) return false;
  }
  return true;
}

/** The entries around what was odd and before the end; undefined where some are left out. */
function shownEntries(history: readonly HistoryEntry[]): (HistoryEntry | undefined)[] {
  const near = new Set<number>();
  const note = (from: number, to: number) => {
    for (let i = Math.max(0, from); i <= Math.min(history.length - 1, to); i++) near.add(i);
  };
  for (const [i, { isOdd }] of history.entries()) if (isOdd) note(i - AROUND, i + AROUND);
  note(history.length - LAST, history.length - 1);
  const shown: (HistoryEntry | undefined)[] = [];
  let before = -1;
  for (const i of [...near].sort((a, b) => a - b)) {
    if (i !== before + 1) shown.push(undefined);
    shown.push(history[i]);
    before = i;
  }
  return shown;
}

function entryText(entry: HistoryEntry | undefined): string {
  if (!entry) return '  …';
  return `${entry.isOdd ? ' !' : '  '}${moment(entry.atMs)} ${entry.who} ${entry.text}`;
}

function writtenPart(written: RunOutcome['written']): string[] {
  if (written.length === 0) return [];
  const texts = written.map(({ atMs, by, type, object }) =>
    indented(`# ${type} at ${moment(atMs)} by ${by}\n${yamlOf(object)}`),
  );
  return ['What was written last:', texts.join('\n  ---\n'), ''];
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');
const seconds = (ms: number): string => `${ms / 1000} s`;
const moment = (ms: number): string => `+${(ms / 1000).toFixed(3)}s`;
