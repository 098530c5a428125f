// One line of a container's log as runtimes write it (CRI): `TIME STREAM TAGS TEXT`. Pure.
// Invariant: a line that is not of that form is given whole rather than lost.

/** A line taken apart. */
export interface CriLine {
  /** RFC 3339 as written; '' when the line has none. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The writer's own line goes on in the next one of this stream. */
  readonly partial: boolean;
  /** Without the newline. */
  readonly text: Uint8Array;
}

const SPACE = 0x20;

/** Takes a line apart; `line` without its newline. */
export function parseCriLine(line: Uint8Array): CriLine {
  const first = line.indexOf(SPACE);
  const second = first < 0 ? -1 : line.indexOf(SPACE, first + 1);
  const third = second < 0 ? -1 : line.indexOf(SPACE, second + 1);
  // An empty text may have lost its space to an editor or a short write.
  const end = third < 0 ? line.length : third;
  if (second < 0) return foreign(line);
  const stream = ascii(line, first + 1, second);
  const tags = ascii(line, second + 1, end);
  if ((stream !== 'stdout' && stream !== 'stderr') || !/^[FP]/.test(tags)) return foreign(line);
  return {
    time: ascii(line, 0, first),
    stream,
    partial: tags.startsWith('P'),
    text: line.subarray(Math.min(end + 1, line.length)),
  };
}

function foreign(text: Uint8Array): CriLine {
  return { time: '', stream: 'stdout', partial: false, text };
}

function ascii(line: Uint8Array, from: number, to: number): string {
  return Buffer.from(line.buffer, line.byteOffset + from, to - from).toString('latin1');
}
