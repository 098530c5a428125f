// ConversionReview (apiextensions.k8s.io/v1) on the side that answers: all objects of a review converted, or none.
// Invariant: objects are answered in the order they came in; the event loop is let go between lots of them.
import { keyOf, type LooseObject } from '../../../api/meta/object.ts';
import { breathe } from '../../../base/breathe.ts';
import type { ReviewDoors } from './admission-review.ts';
import type { ConversionWebhook } from './conversion.ts';
import { frozen } from './plain-json.ts';
import { questionOf, recordOf, textOf } from './review.ts';
import { messageOf, WebhookFault } from './webhook-fault.ts';

const TYPE = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview' };

/** Objects that are converted before others get a turn. */
const LOT = 50;

/**
 * The answer to a review, whole. A conversion that fails is told in it, as the API server shows it to whoever asked. Rejects
 * with a WebhookFault where the review is none.
 */
export async function answerConversion(
  webhook: ConversionWebhook,
  review: unknown,
  { logger, signal }: Omit<ReviewDoors, 'tools'>,
): Promise<object> {
  const { uid, asked } = questionOf(review, TYPE);
  const desired = textOf(asked['desiredAPIVersion']);
  const { objects } = asked;
  if (!Array.isArray(objects)) throw new WebhookFault(400, 'request.objects has to be a list');
  const convertedObjects: LooseObject[] = [];
  try {
    for (const [index, object] of objects.entries()) {
      if (index > 0 && index % LOT === 0) await breathe();
      if (signal.aborted) throw signal.reason;
      convertedObjects.push(await converted(webhook, object, desired));
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof WebhookFault)) throw error;
    const failed = nameOf(objects[convertedObjects.length]);
    const message = `${failed}: ${messageOf(error)}`;
    logger.error('a conversion failed', { webhook: webhook.name, object: failed, err: error });
    return { ...TYPE, response: { uid, result: { status: 'Failure', message } } };
  }
  return { ...TYPE, response: { uid, convertedObjects, result: { status: 'Success' } } };
}

async function converted(
  webhook: ConversionWebhook,
  object: unknown,
  apiVersion: string,
): Promise<LooseObject> {
  const { kind } = recordOf(object, 'an item of request.objects');
  if (kind !== webhook.ref.kind)
    throw new WebhookFault(400, `${webhook.name} has no objects of the kind ${textOf(kind)}`);
  return webhook.convert(frozen(object as LooseObject), apiVersion);
}

function nameOf(object: unknown): string {
  const { name, namespace } = ((object ?? {}) as Partial<LooseObject>).metadata ?? {};
  return keyOf({ metadata: { name: textOf(name), namespace: textOf(namespace) } });
}
