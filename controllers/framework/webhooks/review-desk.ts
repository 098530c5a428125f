// Brings each review to its webhook and its answer back, with a deadline and a limit on how much goes on at once. No sockets.
// Invariant: every review is answered by its deadline, whatever its webhook does; what one webhook does holds up no other.
import { tryParseDuration } from '../../../api/meta/duration.ts';
import type { Clock } from '../../../base/clock.ts';
import { parseExactJson } from '../../../base/exact-json.ts';
import type { Logger } from '../../../base/logger.ts';
import type { AdmissionTools } from './admission.ts';
import { answerAdmission } from './admission-review.ts';
import type { ConversionWebhook } from './conversion.ts';
import { answerConversion } from './conversion-review.ts';
import type { AdmissionWebhook } from './webhook.ts';
import { handlerFault, messageOf, WebhookFault } from './webhook-fault.ts';

/** What can be served. */
export type Webhook = AdmissionWebhook | ConversionWebhook;

/** Calls of one webhook that have not ended; those beyond are refused (429). A call that outlives its deadline still counts. */
export const MAX_CALLS_AT_ONCE = 100;
/** The longest a call may take, whatever the caller says. */
export const MAX_CALL_MS = 30_000;
/** How much sooner than the caller's patience a deadline is, so that its answer is still heard: a tenth, 500 ms at most. */
const MARGIN = { share: 0.1, maxMs: 500 };

/** A review as it came. */
export interface ReviewCall {
  /** With its query: `/validate.pods.core?timeout=10s`. */
  readonly target: string;
  /** JSON. */
  readonly text: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What is to be answered: a review as JSON, or a sentence about why there is none. */
export interface ReviewReply {
  readonly code: number;
  readonly contentType: 'application/json' | 'text/plain; charset=utf-8';
  readonly body: string;
}

/** What a desk works with. */
export interface DeskDoors {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What webhooks look things up with; none unless given. */
  readonly tools?: AdmissionTools | undefined;
}

const NO_TOOLS: AdmissionTools = {
  get client(): never {
    throw new TypeError('there is no client: give serveWebhooks its `tools`');
  },
  get informers(): never {
    throw new TypeError('there are no informers: give serveWebhooks its `tools`');
  },
};

/** Answers reviews for a set of webhooks. */
export class ReviewDesk {
  readonly #webhooks: ReadonlyMap<string, Webhook>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #tools: AdmissionTools;
  readonly #underWay = new Map<Webhook, number>();

  /** Throws TypeError where two webhooks have one path. */
  constructor(webhooks: readonly Webhook[], doors: DeskDoors) {
    this.#webhooks = checkPaths(webhooks);
    this.#clock = doors.clock;
    this.#logger = doors.logger;
    this.#tools = doors.tools ?? NO_TOOLS;
  }

  /** Is a webhook served there? */
  has(target: string): boolean {
    return this.#webhooks.has(splitTarget(target).path);
  }

  /** The answer. Never rejects. */
  async answer(call: ReviewCall): Promise<ReviewReply> {
    const { path, query } = splitTarget(call.target);
    const webhook = this.#webhooks.get(path);
    try {
      if (!webhook) throw new WebhookFault(404, this.#unknown(path));
      const review = parsed(call.text);
      const timeoutMs = deadlineMs(webhook, query);
      const body = await this.#withinLimits(webhook, { ...call, review, timeoutMs });
      return { code: 200, contentType: 'application/json', body: JSON.stringify(body) };
    } catch (error) {
      return this.#refusal(error, { webhook: webhook?.name, path });
    }
  }

  #unknown(path: string): string {
    const known = [...this.#webhooks.keys()].join(', ');
    return `no webhook is served at ${path.slice(0, MAX_SHOWN_CHARS)}; there are ${known}`;
  }

  #withinLimits(webhook: Webhook, call: Call): Promise<object> {
    const underWay = this.#underWay.get(webhook) ?? 0;
    if (underWay >= MAX_CALLS_AT_ONCE)
      throw new WebhookFault(
        429,
        `${MAX_CALLS_AT_ONCE} calls of ${webhook.name} have not ended: it is to end when request.signal aborts, and to be quicker than it is asked`,
      );
    this.#underWay.set(webhook, underWay + 1);
    return this.#withinTime(webhook, call, () => {
      this.#underWay.set(webhook, (this.#underWay.get(webhook) ?? 1) - 1);
    });
  }

  /** `ended` is called when the webhook has answered, which may be after its deadline. */
  #withinTime(webhook: Webhook, call: Call, ended: () => void): Promise<object> {
    const { timeoutMs, signal } = call;
    const late = new AbortController();
    return new Promise((resolve, reject) => {
      const end = (why: Error) => {
        late.abort(why);
        reject(why);
      };
      const timer = this.#clock.timer(timeoutMs, () => end(tooLate(webhook, timeoutMs)));
      const gone = () => end(handlerFault('nobody waits for the answer any more'));
      signal.addEventListener('abort', gone, { once: true });
      if (signal.aborted) gone();
      this.#ask(webhook, call.review, late.signal)
        .then(resolve, reject)
        .finally(() => {
          timer.cancel();
          signal.removeEventListener('abort', gone);
          ended();
        })
        .catch(reject);
    });
  }

  async #ask(webhook: Webhook, review: unknown, signal: AbortSignal): Promise<object> {
    const doors = { logger: this.#logger, signal, tools: this.#tools };
    return webhook.sort === 'converting'
      ? answerConversion(webhook, review, doors)
      : answerAdmission(webhook, review, doors);
  }

  #refusal(error: unknown, about: { webhook: string | undefined; path: string }): ReviewReply {
    const fault = error instanceof WebhookFault ? error : handlerFault(messageOf(error), error);
    const fields = { ...about, why: fault.message, err: fault.cause };
    if (fault.code >= 500) this.#logger.error('a webhook gave no answer', fields);
    else this.#logger.warn('a review is refused', fields);
    return reply(fault);
  }
}

/** The webhooks by their paths. Throws TypeError where two have one. */
export function checkPaths(webhooks: readonly Webhook[]): ReadonlyMap<string, Webhook> {
  const byPath = new Map<string, Webhook>();
  for (const webhook of webhooks) {
    if (byPath.has(webhook.path))
      throw new TypeError(`two webhooks are called ${webhook.name}: give one another name`);
    byPath.set(webhook.path, webhook);
  }
  return byPath;
}

/** Characters of a fault that are told. */
export const MAX_MESSAGE_CHARS = 2_048;

/** A fault as the answer that tells of it. */
export function reply({ code, message }: WebhookFault): ReviewReply {
  const body = message.slice(0, MAX_MESSAGE_CHARS);
  return { code, contentType: 'text/plain; charset=utf-8', body };
}

interface Call extends ReviewCall {
  readonly review: unknown;
  readonly timeoutMs: number;
}

const MAX_SHOWN_CHARS = 200;

function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  return { path, query: new URLSearchParams(mark < 0 ? '' : target.slice(mark)) };
}

function parsed(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw new WebhookFault(400, `the body is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** How long the webhook has: what the caller grants, or what its configuration says, less the margin. */
function deadlineMs(webhook: Webhook, query: URLSearchParams): number {
  const configured = webhook.sort === 'converting' ? MAX_CALL_MS : webhook.timeoutSeconds * 1000;
  const granted = tryParseDuration(query.get('timeout') ?? '') ?? configured;
  const ms = Math.min(MAX_CALL_MS, granted > 0 ? granted : configured);
  return ms - Math.min(MARGIN.maxMs, ms * MARGIN.share);
}

function tooLate({ name }: Webhook, timeoutMs: number): WebhookFault {
  return handlerFault(
    `${name} did not answer within ${timeoutMs} ms: let it do less, or raise timeoutSeconds (30 at most)`,
  );
}
