// The events of one watch on their way to a process, one at a time.
// Invariant: they arrive in the order in which the server sent them, none twice; after the watch was cut or expired none arrives.
import { expired } from '../../api/status.ts';
import type { WatchFrame } from '../../api/wire/exchange.ts';
import { errorFrame } from '../../apiserver/watch/watch-frames.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import type { LineEnd, LineRun } from './line.ts';
import { eventText, oddText } from './message-texts.ts';
import type { Odd } from './odds.ts';

/** What the events of a watch pass through. */
export interface EventLineParts {
  readonly run: LineRun;
  readonly end: LineEnd;
  /** The plural of what is watched. */
  readonly resource: string;
  /** The beginning of its events' names. */
  readonly name: string;
  /** Tells the server that nobody reads any more. */
  close(): void;
  /** History before this revision is gone: watches from before it are answered with 410 from now on. */
  expired(revision: number): void;
}

/** The frames of a watch as its process gets them. */
export class EventLine implements AsyncIterable<readonly WatchFrame[]> {
  readonly #parts: EventLineParts;
  #events = 0;
  /** By how much each event is later than it could be. */
  #lagMs = 0;
  /** The moment of the latest arrival that is planned. */
  #lastDue = 0;
  /** Nothing more comes from the server. */
  #isSilent = false;
  /** What arrived and was not taken yet. */
  #arrived: WatchFrame[] = [];
  #over: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;

  constructor(parts: EventLineParts) {
    this.#parts = parts;
  }

  /** Takes what the server sends, until it ends. */
  async follow(frames: AsyncIterable<readonly WatchFrame[]>): Promise<void> {
    for await (const batch of frames) for (const frame of batch) this.#send(frame);
    if (!this.#isSilent) this.#finish(0, {});
  }

  /** The reader leaves. */
  leave(): void {
    this.#isSilent = true;
    this.#arrived = [];
    this.#over ??= {};
    this.#wake?.();
    this.#parts.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly WatchFrame[]> {
    try {
      for (;;) {
        const batch = this.#arrived;
        this.#arrived = [];
        if (batch.length > 0) yield batch;
        else if (this.#over?.error) throw this.#over.error;
        else if (this.#over) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.leave();
    }
  }

  #send(frame: WatchFrame): void {
    if (this.#isSilent) return;
    const { run, end, resource } = this.#parts;
    const text = eventText(resource, frame.event());
    const odd = this.#odd(frame, text);
    if (odd?.kind === 'lag') this.#lagMs = odd.ms;
    if (odd?.kind === 'end') return this.#fallSilent(0, {});
    if (odd?.kind === 'cut') return this.#fallSilent(odd.ms, { error: broken() });
    if (odd?.kind === 'expire') return this.#expire(frame, odd.ms);
    const heldMs = odd?.kind === 'hold' ? odd.ms : 0;
    this.#lastDue = Math.max(run.agenda.now + heldMs + this.#lagMs, this.#lastDue);
    run.agenda.at(
      this.#lastDue,
      () => {
        if (this.#over) return;
        run.history.note(end.name, `← ${text}`, frame.bytes);
        run.delivered();
        this.#arrived.push(frame);
        this.#wake?.();
      },
      end,
    );
  }

  #odd(frame: WatchFrame, text: string): Odd | undefined {
    const { type } = frame.event();
    if (type === 'BOOKMARK' || type === 'ERROR') return undefined;
    const { run, end, name } = this.#parts;
    const allows = (odd: Odd) => end.allows(odd);
    const odd = run.choose({ name: `${name} event ${++this.#events}`, moment: 'event', allows });
    if (!odd) return undefined;
    run.history.odd(end.name, oddText(odd, `event ${text}`));
    if (odd.kind === 'crash' || odd.kind === 'pause' || odd.kind === 'step') end.befall(odd);
    return odd;
  }

  #fallSilent(ms: number, how: { readonly error?: Error }): void {
    this.#isSilent = true;
    this.#parts.close();
    this.#finish(ms, how);
  }

  #expire(frame: WatchFrame, ms: number): void {
    const { run, end } = this.#parts;
    this.#isSilent = true;
    this.#parts.close();
    this.#parts.expired(Number(frame.event().object.metadata?.resourceVersion));
    const due = Math.max(run.agenda.now + ms, this.#lastDue);
    run.agenda.at(due, () => this.#end410(), end);
  }

  #end410(): void {
    if (this.#over) return;
    const { run, end, resource } = this.#parts;
    run.history.note(end.name, `← 410 Expired on the watch of ${resource}`);
    this.#arrived.push(errorFrame(expired('too old resource version')));
    this.#over = {};
    this.#wake?.();
  }

  /** Ends it for the reader, once everything before has arrived. */
  #finish(ms: number, how: { readonly error?: Error }): void {
    const { run, end, resource } = this.#parts;
    const due = Math.max(run.agenda.now + ms, this.#lastDue);
    run.agenda.at(
      due,
      () => {
        if (this.#over) return;
        run.history.note(end.name, `← the watch of ${resource} ${how.error ? 'breaks' : 'ends'}`);
        this.#over = how;
        this.#wake?.();
      },
      end,
    );
  }
}

const broken = (): Error => new ConnectionError('lost', 'the watch broke');
