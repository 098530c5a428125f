// Where two runs of one seed part, which must not be: told as what the code under test is likely to have done.
// Invariant: pure.
import type { RunOutcome } from './outcome.ts';

const INVARIANT =
  'two runs of one seed are the same: your code uses something outside the simulation';
const CAUSES =
  'Likely causes: state kept outside of the process (a module, a closure over the scenario), an order that comes from identities of ' +
  'objects, or something of the host that no guard knows.';
/** Characters shown around the first one that differs. */
const AROUND = 120;

/** The first run with the finding that the second, by the same seed, was another one. Both kept what their messages were made of. */
export function withDifference(first: RunOutcome, second: RunOutcome): RunOutcome {
  const length = Math.max(first.history.length, second.history.length);
  let at = 0;
  while (at < length && textAt(first, at) === textAt(second, at)) at++;
  const detail =
    at < length ? partingAt(at, first, second) : `They were the same this time. ${CAUSES}`;
  return {
    ...first,
    history: first.history.slice(0, at + 1),
    finding: { kind: 'repeat', invariant: INVARIANT, detail },
  };
}

function partingAt(at: number, first: RunOutcome, second: RunOutcome): string {
  const [once, then] = [textAt(first, at), textAt(second, at)];
  let same = 0;
  while (same < once.length && once[same] === then[same]) same++;
  const head = first.history[at];
  const about = head ? `At ${head.atMs} ms, ${head.who} ${head.text}:\n` : '';
  return `${about}Once: ${excerpt(once, same)}\nThen: ${excerpt(then, same)}\n${CAUSES}`;
}

function textAt({ history }: RunOutcome, at: number): string {
  const entry = history[at];
  if (!entry) return 'nothing more';
  return `+${entry.atMs} ms ${entry.who} ${entry.text} ${entry.content ?? ''}`.trim();
}

function excerpt(text: string, same: number): string {
  const start = Math.max(0, same - AROUND);
  return `${start > 0 ? '…' : ''}${text.slice(start, same + AROUND)}`.replaceAll('\n', ' ');
}
