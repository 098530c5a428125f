// Converts custom resources by asking the webhook that their definition names, many in one review.
// Invariant: a conversion ends within its time, and with the server; a review stays within its limits, whatever a list holds.
import type { CustomResourceConversion } from '../../api/generated/types.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { StatusError } from '../../api/status.ts';
import type { Random } from '../../base/random.ts';
import { WebhookCallError } from '../webhooks/call-error.ts';
import type { WebhookClient } from '../webhooks/webhook-client.ts';
import {
  ConversionFault,
  convertedObjects,
  type Review,
  reviewText,
  reviewVersion,
} from './conversion-review.ts';
import type { Converter } from './custom-form.ts';

/** How long a webhook has for one review, as upstream. */
export const CONVERSION_TIMEOUT_MS = 30_000;
/** Objects of one review. */
export const MAX_REVIEW_OBJECTS = 500;
/** Characters of the objects of one review; one that is larger goes alone. */
export const MAX_REVIEW_CHARS = 2 * 1024 * 1024;

/** Reviews that one definition's webhook is asked at once. */
export const MAX_REVIEWS_AT_ONCE = 64;

/** What is needed to ask. */
export interface ConversionParts {
  readonly webhooks: Pick<WebhookClient, 'post'>;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** The converter of a definition that names a webhook. It throws an InternalError that says who was asked, and why in vain. */
export function webhookConverter(
  parts: ConversionParts,
  { webhook }: CustomResourceConversion,
): Converter {
  const version = reviewVersion(webhook?.conversionReviewVersions ?? []);
  const config = webhook?.clientConfig ?? {};
  let underWay = 0;
  const inTurn = async (ask: () => Promise<unknown>) => {
    if (underWay >= MAX_REVIEWS_AT_ONCE) throw tooBusy();
    underWay += 1;
    try {
      return await ask();
    } finally {
      underWay -= 1;
    }
  };
  return async (objects, desiredApiVersion) => {
    const converted: LooseObject[] = [];
    for (const batch of batches(objects)) {
      const asked = batch.map(({ object }) => object);
      const uid = parts.random.uuid();
      const review = { uid, version: version ?? '', desiredApiVersion, objects: asked };
      const body = reviewText(
        review,
        batch.map(({ text }) => text),
      );
      const { signal } = parts;
      const ask = () =>
        parts.webhooks.post({ config, body, timeoutMs: CONVERSION_TIMEOUT_MS, signal });
      converted.push(...(await answered(review, () => inTurn(ask))));
    }
    return converted;
  };
}

function tooBusy(): StatusError {
  const why = `the conversion webhook is asked ${MAX_REVIEWS_AT_ONCE} times at once and did not answer yet`;
  return new StatusError('TooManyRequests', why, { details: { retryAfterSeconds: 1 } });
}

async function answered(review: Review, ask: () => Promise<unknown>): Promise<LooseObject[]> {
  try {
    return convertedObjects(await ask(), review);
  } catch (error) {
    const known = error instanceof ConversionFault || error instanceof WebhookCallError;
    if (!known) throw error;
    const { apiVersion, kind } = review.objects[0] as LooseObject;
    const why = error instanceof WebhookCallError ? `failed: ${error.message}` : error.message;
    const message = `conversion webhook for ${apiVersion}, Kind=${kind} ${why}`;
    throw new StatusError('InternalError', message, { cause: error });
  }
}

interface Sent {
  readonly object: LooseObject;
  readonly text: string;
}

function* batches(objects: readonly LooseObject[]): Generator<Sent[]> {
  let batch: Sent[] = [];
  let chars = 0;
  for (const object of objects) {
    const text = JSON.stringify(object);
    const full = batch.length >= MAX_REVIEW_OBJECTS || chars + text.length > MAX_REVIEW_CHARS;
    if (full && batch.length > 0) {
      yield batch;
      batch = [];
      chars = 0;
    }
    batch.push({ object, text });
    chars += text.length;
  }
  if (batch.length > 0) yield batch;
}
