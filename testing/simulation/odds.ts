// The odd things that can befall a message between a program and the server, numbered.
// Invariant: the numbers of a table never change their meaning while the table stands: a tape holds them. 0 is always "nothing odd".

/** What befalls one message. Times are milliseconds of virtual time. */
export type Odd =
  /** It arrives late; for an event, those behind it wait with it. */
  | { readonly kind: 'hold'; readonly ms: number }
  /** This event and every later one of its watch arrive late: a cache that is always behind. */
  | { readonly kind: 'lag'; readonly ms: number }
  /** The connection breaks: a request never arrives, or is done and its reply never arrives. */
  | { readonly kind: 'lose' }
  /** The server answers so and does nothing. */
  | { readonly kind: 'refuse'; readonly code: 409 | 429 | 500 | 503 }
  /** The watch ends in good order, as servers end every watch now and then. */
  | { readonly kind: 'end' }
  /** The watch falls silent and breaks after a while; the client watches on from where it was. */
  | { readonly kind: 'cut'; readonly ms: number }
  /** The watch falls silent and ends with 410 Expired: what happened meanwhile the client never sees as events. */
  | { readonly kind: 'expire'; readonly ms: number }
  /** The program dies as by `kill -9` at this moment, and is started anew after a while. */
  | { readonly kind: 'crash'; readonly ms: number }
  /** The program stands still for a while, timers and messages with it, and then goes on as if nothing had been. */
  | { readonly kind: 'pause'; readonly ms: number }
  /** The program's wall clock is stepped, forward or back. */
  | { readonly kind: 'step'; readonly ms: number };

/** What kind of message something may befall. */
export type Moment = 'request' | 'reply' | 'event';

const hold = (...all: number[]): Odd[] => all.map((ms) => ({ kind: 'hold', ms }));
const crash = (...all: number[]): Odd[] => all.map((ms) => ({ kind: 'crash', ms }));
const pause = (...all: number[]): Odd[] => all.map((ms) => ({ kind: 'pause', ms }));
const step = (...all: number[]): Odd[] => all.map((ms) => ({ kind: 'step', ms }));
const each = <K extends 'lag' | 'cut' | 'expire'>(kind: K, ...all: number[]): Odd[] =>
  all.map((ms) => ({ kind, ms }) as Odd);

const ofProcesses: readonly Odd[] = [
  ...crash(0, 1000, 20_000),
  ...pause(1000, 20_000, 60_000),
  ...step(-60_000, 60_000, -3_600_000, 3_600_000),
];

/** What can befall each kind of message; number n of a tape is entry n - 1. */
export const ODDS: Readonly<Record<Moment, readonly Odd[]>> = {
  request: [
    ...hold(5, 100, 1000, 5000, 20_000),
    { kind: 'lose' },
    { kind: 'refuse', code: 409 },
    { kind: 'refuse', code: 429 },
    { kind: 'refuse', code: 500 },
    { kind: 'refuse', code: 503 },
    ...ofProcesses,
  ],
  reply: [...hold(5, 100, 1000, 5000, 20_000), { kind: 'lose' }, ...ofProcesses],
  event: [
    ...hold(5, 100, 1000, 5000, 20_000, 60_000),
    ...each('lag', 100, 2000, 10_000),
    { kind: 'end' },
    ...each('cut', 0, 3000),
    ...each('expire', 0, 3000, 30_000),
    ...ofProcesses,
  ],
};

/** The odd thing of this number; undefined for 0 and for numbers that the table does not have. */
export const oddOf = (moment: Moment, choice: number): Odd | undefined => ODDS[moment][choice - 1];
