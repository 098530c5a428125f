// Tells a failed run as a story that a person can follow: what broke, what was odd, what happened around it, what there was in the end.
// Invariant: pure; the story alone says how to see the same again.
import type { KubeObject } from '../../api/meta/object.ts';
import { yamlOf } from '../yaml.ts';
import type { HistoryEntry } from './history.ts';
import type { RunOutcome } from './outcome.ts';

/** Entries shown before and after each odd thing. */
const AROUND = 6;
/** Entries shown before the end. */
const LAST = 14;

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
    ...shownEntries(outcome.history).map(entryText),
    '',
    ...objectsPart(outcome.objects),
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
  const lines = odd.map(
    ({ atMs, who, text }, i) => `  ${i + 1}. ${moment(atMs)} ${who}: the ${text}`,
  );
  return ['What was odd:', ...lines].join('\n');
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

function objectsPart(objects: readonly KubeObject[]): string[] {
  if (objects.length === 0) return [];
  const texts = objects.map((object) => indented(yamlOf(object)));
  return ['What was written last:', texts.join('\n  ---\n'), ''];
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ');
const seconds = (ms: number): string => `${ms / 1000} s`;
const moment = (ms: number): string => `+${(ms / 1000).toFixed(3)}s`;
