// Asks one webhook about one request, and turns what comes of it into an answer, a denial or a failure.
// Invariants: a call takes no longer than the webhook may and than the whole step has left; each call is counted once, with
// its outcome; whether a failure lets the request go on is decided here alone, by the webhook's failure policy.
import { StatusError } from '../../../api/status.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { Random } from '../../../base/random.ts';
import { RETRY_AFTER_SECONDS } from '../../inflight.ts';
import type { AdmissionFigures, WebhookType } from '../../metrics/admission-figures.ts';
import { WebhookCallError } from '../../webhooks/call-error.ts';
import type { WebhookClient } from '../../webhooks/webhook-client.ts';
import type { WebhookIdentities } from '../../webhooks/webhook-identity.ts';
import type { AdmissionRequest } from '../admission.ts';
import { readAnswer, type ReviewAnswer, reviewText } from './admission-review.ts';
import { WebhookDenial } from './webhook-denial.ts';
import type { Hook } from './webhook-index.ts';

/** How long the webhooks of one step may take together; upstream bounds a write by the same. */
export const MAX_STEP_MS = 34_000;

/**
 * Requests that wait for one webhook at once. Those beyond come again later, so that one that hangs leaves room for writes it
 * has nothing to do with: half of what the server works on (`maxMutatingRequestsInflight`).
 */
export const MAX_WAITING_CALLS = 100;

/** What webhooks are called with. */
export interface CallerParts {
  readonly client: WebhookClient;
  /** As whom they are called; as nobody without. */
  readonly identities?: WebhookIdentities | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly figures: AdmissionFigures;
}

/** One question to one webhook. */
export interface Question {
  readonly hook: Hook;
  readonly request: AdmissionRequest;
  /** As questionText makes it. */
  readonly text: string;
  /** Which call of the step it is, for the audit: `round_0_index_3`. */
  readonly place: string;
}

/** Calls webhooks of one sort. */
export class WebhookCaller {
  readonly #parts: CallerParts;
  readonly #type: WebhookType;
  /** When the step of a request must be over, on the monotonic clock. */
  readonly #ends = new WeakMap<AdmissionRequest, number>();
  /** How many wait for each. */
  readonly #waiting = new WeakMap<Hook, number>();

  constructor(parts: CallerParts, type: WebhookType) {
    this.#parts = parts;
    this.#type = type;
  }

  /** What it said, if it let the request pass; undefined where it failed and that is no matter. Throws a StatusError. */
  async ask(question: Question): Promise<ReviewAnswer | undefined> {
    const { hook, request } = question;
    if (request.dryRun && !hook.bearsDryRun)
      throw new StatusError(
        'BadRequest',
        `admission webhook "${hook.name}" does not support dry run`,
      );
    const waiting = this.#waiting.get(hook) ?? 0;
    if (waiting >= MAX_WAITING_CALLS) throw busy(hook.name);
    this.#waiting.set(hook, waiting + 1);
    try {
      return await this.#asked(question);
    } finally {
      this.#waiting.set(hook, (this.#waiting.get(hook) ?? 1) - 1);
    }
  }

  async #asked(question: Question): Promise<ReviewAnswer | undefined> {
    const startedAt = this.#parts.clock.monotonic();
    try {
      const answer = await this.#call(question);
      this.#count(question, { startedAt, rejected: false, code: 200 });
      return answer;
    } catch (error) {
      return this.#failed(question, error, startedAt);
    }
  }

  async #call({ hook, request, text }: Question): Promise<ReviewAnswer> {
    const { client, identities, random } = this.#parts;
    const { name, client: config, reviewVersion: version } = hook;
    const timeoutMs = Math.min(hook.timeoutMs, this.#leftOf(request));
    const { signal } = request;
    const uid = random.uuid();
    const body = reviewText(version, uid, text);
    const call = { config, body, timeoutMs, signal, identities };
    const review = await client.post(call).catch((cause: Error) => {
      throw new CallFailure(name, `failed to call webhook: ${cause.message}`, cause);
    });
    const answer = readOrFail(name, review, { uid, version, mutating: this.#type === 'admit' });
    for (const [key, value] of answer.auditAnnotations) request.annotate(`${name}/${key}`, value);
    request.warnings.push(...answer.warnings);
    if (!answer.allowed) throw new WebhookDenial(name, answer.status);
    return answer;
  }

  #leftOf(request: AdmissionRequest): number {
    const now = this.#parts.clock.monotonic();
    const ends = this.#ends.get(request) ?? now + MAX_STEP_MS;
    this.#ends.set(request, ends);
    if (ends <= now) throw tooLate();
    return ends - now;
  }

  #failed({ hook, request, place, ...rest }: Question, error: unknown, startedAt: number) {
    const question = { hook, request, place, ...rest };
    const { figures, logger } = this.#parts;
    const { name, failsOpen } = hook;
    const { operation } = request;
    const type = this.#type;
    if (!(error instanceof CallFailure)) {
      const code = error instanceof StatusError ? error.code : 500;
      this.#count(question, { startedAt, rejected: true, code });
      if (error instanceof WebhookDenial)
        figures.rejected({ name, type, operation, code }, 'no_error');
      throw error;
    }
    const { message } = error;
    this.#count(question, { startedAt, rejected: !failsOpen, code: 500 });
    logger.warn('a webhook failed', { webhook: name, failsOpen, why: message });
    if (!failsOpen) {
      figures.rejected({ name, type, operation, code: 0 }, 'calling_webhook_error');
      throw internalError(message, error);
    }
    // Nobody waits any more, or no time is left: then the request does not go on unasked either.
    if (request.signal.aborted) throw tooLate();
    this.#leftOf(request);
    figures.failedOpen(name, type);
    const sort = type === 'admit' ? 'mutating' : 'validating';
    request.annotate(`failed-open.${sort}.webhook.admission.k8s.io/${place}`, name);
    return undefined;
  }

  #count(
    { hook, request }: Question,
    outcome: { startedAt: number; rejected: boolean; code: number },
  ): void {
    const { clock, figures } = this.#parts;
    const { startedAt, ...rest } = outcome;
    const { name } = hook;
    const ms = clock.monotonic() - startedAt;
    figures.called({ name, type: this.#type, operation: request.operation, ms, ...rest });
  }
}

/** A call that came to nothing; the failure policy says what that means. */
class CallFailure extends Error {
  constructor(webhook: string, why: string, cause: unknown) {
    super(`failed calling webhook "${webhook}": ${why}`, { cause });
  }
}

function readOrFail(
  name: string,
  review: unknown,
  asked: Parameters<typeof readAnswer>[1],
): ReviewAnswer {
  try {
    return readAnswer(review, asked);
  } catch (error) {
    const why = `received invalid webhook response: ${(error as Error).message}`;
    throw new CallFailure(name, why, error);
  }
}

/** 500 that names the cause, as upstream's. */
export function internalError(message: string, cause?: unknown): StatusError {
  return new StatusError('InternalError', `Internal error occurred: ${message}`, {
    details: { causes: [{ message }] },
    cause: cause instanceof WebhookCallError ? cause : undefined,
  });
}

function busy(webhook: string): StatusError {
  return new StatusError(
    'TooManyRequests',
    `too many requests wait for admission webhook "${webhook}", please try again later.`,
    { details: { retryAfterSeconds: RETRY_AFTER_SECONDS } },
  );
}

function tooLate(): StatusError {
  const why = 'request did not complete within requested timeout - context deadline exceeded';
  return new StatusError('Timeout', `Timeout: ${why}`);
}
