// The line between one process and the server: every message on it is an entry of the agenda, and something odd may befall each.
// Invariant: a request that the server got is done, whatever becomes of its sender; of one watch, events arrive in order, each once; a
// revision that has expired stays so.
import type { Handler, Reply, Request, UserInfo } from '../../api/wire/exchange.ts';
import { errorReply } from '../../apiserver/reply.ts';
import { expired, StatusError, type StatusReason } from '../../api/status.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import type { Agenda, Owner } from './agenda.ts';
import { EventLine } from './event-line.ts';
import type { History } from './history.ts';
import { oddText, replyText, requestText, resourceOf } from './message-texts.ts';
import type { Moment, Odd } from './odds.ts';
import type { Place } from './tape.ts';

/** What a line needs of its run. */
export interface LineRun {
  readonly agenda: Agenda;
  readonly history: History;
  /** What befalls the message; undefined: nothing odd. */
  choose(place: Place): Odd | undefined;
  /** The server has got a request. */
  arrived(who: string, request: string, answer: Promise<unknown>): void;
  /** A process has got an answer or an event. */
  delivered(): void;
}

/** The end of a line. */
export interface LineEnd extends Owner {
  /** In histories and as the beginning of its messages' names. */
  readonly name: string;
  /** May this ever befall it? */
  allows(odd: Odd): boolean;
  /** The process dies, stands still, or has its clock stepped. */
  befall(odd: Odd): void;
}

/** One process's way to the server. */
export class Line {
  readonly #run: LineRun;
  readonly #end: LineEnd;
  readonly #server: Handler;
  readonly #watches = new Map<string, number>();
  /** By resource: where the history begins that watches may still begin in. */
  readonly #historyFrom = new Map<string, number>();
  /** Requests that the server still works on, and watches. */
  readonly #open = new Set<AbortController>();
  /** How many requests were sent. */
  requests = 0;

  constructor(run: LineRun, end: LineEnd, server: Handler) {
    this.#run = run;
    this.#end = end;
    this.#server = server;
  }

  /** What the process has for a server. */
  readonly handler: Handler = (request, user) => {
    if (this.#end.isDead) return never();
    const number = ++this.requests;
    return new Promise((resolve, reject) => {
      this.#send({ request, user, number, resolve, reject });
    });
  };

  /** The process is no more: the server lets go of its watches. */
  cut(): void {
    for (const open of this.#open) open.abort(new Error('the client is gone'));
    this.#open.clear();
  }

  #send(call: Call): void {
    const { agenda, history } = this.#run;
    const { request, number } = call;
    const text = requestText(request);
    const odd = this.#odd({ moment: 'request', number, text, request });
    if (odd?.kind === 'lose') {
      agenda.at(agenda.now, () => call.reject(lost()), this.#end);
      return;
    }
    if (odd?.kind === 'refuse') {
      agenda.at(agenda.now, () => call.resolve(refusal(odd.code)), this.#end);
      return;
    }
    agenda.at(agenda.now + (odd?.kind === 'hold' ? odd.ms : 0), () => {
      history.note(this.#end.name, `→ ${text}`, bodyOf(request));
      this.#arrive(call);
    });
  }

  /** The request is with the server. */
  #arrive(call: Call): void {
    const { request, user } = call;
    const open = new AbortController();
    this.#open.add(open);
    const isWatch = request.query.get('watch') === 'true';
    // A watch ends when its reader leaves; anything else is done once it was sent.
    if (isWatch) {
      const onAbort = () => open.abort(request.signal.reason);
      if (request.signal.aborted) onAbort();
      else request.signal.addEventListener('abort', onAbort, { once: true });
    }
    const reached = this.#isExpired(request)
      ? Promise.resolve(errorReply(expired('too old resource version')))
      : this.#server({ ...request, signal: open.signal }, user);
    const answered = reached.then((reply) => {
      if (reply.kind !== 'watch') this.#open.delete(open);
      this.#answer(call, reply, open);
    });
    this.#run.arrived(this.#end.name, requestText(request), answered);
  }

  /** Does the watch begin in history that is gone? A server answers that every time it is asked. */
  #isExpired({ path, query }: Request): boolean {
    const from = query.get('watch') === 'true' ? query.get('resourceVersion') : null;
    if (from === null) return false;
    return Number(from) < (this.#historyFrom.get(resourceOf(path)) ?? 0);
  }

  #answer(call: Call, reply: Reply, open: AbortController): void {
    const { agenda, history } = this.#run;
    const { request, number } = call;
    const text = replyText(reply);
    const odd = this.#odd({
      moment: 'reply',
      number,
      text: `${text} to ${requestText(request)}`,
      request,
    });
    const passed = reply.kind === 'watch' ? this.#watched(reply, request, open) : reply;
    const due = agenda.now + (odd?.kind === 'hold' ? odd.ms : 0);
    agenda.at(
      due,
      () => {
        if (odd?.kind === 'lose') {
          open.abort(new Error('the connection broke'));
          call.reject(lost());
          return;
        }
        const bytes = request.path.endsWith('/token') ? undefined : bytesOf(reply);
        history.note(this.#end.name, `← ${text} to ${requestText(request)}`, bytes);
        this.#run.delivered();
        call.resolve(passed);
      },
      this.#end,
    );
  }

  #watched(reply: Reply & { kind: 'watch' }, request: Request, open: AbortController): Reply {
    const resource = resourceOf(request.path);
    const number = (this.#watches.get(resource) ?? 0) + 1;
    this.#watches.set(resource, number);
    const line = new EventLine({
      run: this.#run,
      end: this.#end,
      resource,
      name: `${this.#end.name} watch ${number} of ${resource}`,
      close: () => {
        this.#open.delete(open);
        open.abort(new Error('the watcher went away'));
      },
      expired: (revision) => this.#historyFrom.set(resource, revision),
    });
    void line.follow(reply.frames);
    if (request.signal.aborted) line.leave();
    else request.signal.addEventListener('abort', () => line.leave(), { once: true });
    return { ...reply, frames: line };
  }

  #odd(about: {
    readonly moment: Moment;
    readonly number: number;
    readonly text: string;
    readonly request: Request;
  }): Odd | undefined {
    const { moment, number, text, request } = about;
    const name = `${this.#end.name} ${moment} ${number}`;
    const allows = (odd: Odd) => this.#end.allows(odd) && fits(odd, request);
    const odd = this.#run.choose({ name, moment, allows });
    if (!odd) return undefined;
    this.#run.history.odd(this.#end.name, oddText(odd, `${moment} ${text}`));
    if (odd.kind === 'crash' || odd.kind === 'pause' || odd.kind === 'step') this.#end.befall(odd);
    return odd;
  }
}

interface Call {
  readonly request: Request;
  readonly user: UserInfo;
  readonly number: number;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** A server answers Conflict only to writes of what is there. */
function fits(odd: Odd, { method }: Request): boolean {
  return odd.kind !== 'refuse' || odd.code !== 409 || method === 'PUT' || method === 'PATCH';
}

const lost = (): Error => new ConnectionError('lost', 'the connection broke');
const never = <T>(): Promise<T> => new Promise(() => undefined);

const REASONS: Readonly<Record<(Odd & { kind: 'refuse' })['code'], StatusReason>> = {
  409: 'Conflict',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

function refusal(code: (Odd & { kind: 'refuse' })['code']): Reply {
  const details = code === 429 ? { details: { retryAfterSeconds: 1 } } : {};
  return errorReply(new StatusError(REASONS[code], 'the server cannot do this now', details));
}

function bodyOf({ body }: Request): Uint8Array | string | undefined {
  return body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
}

/** What a reply is made of, for the hash. Tokens are left out of it: their signatures are never alike. */
function bytesOf(reply: Reply): Uint8Array | undefined {
  if (reply.kind !== 'body') return undefined;
  return reply.body.length === 1 ? reply.body[0] : Buffer.concat(reply.body);
}
