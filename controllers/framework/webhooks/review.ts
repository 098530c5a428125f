// What AdmissionReviews and ConversionReviews have in common as questions: a type, a request, and a uid to answer by.
// Invariant: pure; what is not such a question is a WebhookFault (400) that says what was expected.
import { WebhookFault } from './webhook-fault.ts';

/** The question inside a review. */
export interface Question {
  readonly uid: string;
  /** The `request` field. */
  readonly asked: Readonly<Record<string, unknown>>;
}

/** The question of a review of this type. Throws WebhookFault. */
export function questionOf(
  review: unknown,
  type: { readonly apiVersion: string; readonly kind: string },
): Question {
  const { apiVersion, kind, request } = recordOf(review, 'the body');
  if (apiVersion !== type.apiVersion || kind !== type.kind)
    throw new WebhookFault(
      400,
      `expected ${type.kind} of ${type.apiVersion}, got ${quoted(kind)} of ${quoted(apiVersion)}`,
    );
  const asked = recordOf(request, 'request');
  const { uid } = asked;
  if (typeof uid !== 'string' || uid === '')
    throw new WebhookFault(400, 'request.uid has to be a text: the answer names it');
  return { uid, asked };
}

/** The value, if it is a JSON object. Throws WebhookFault. */
export function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new WebhookFault(400, `${what} is no object: expected a review`);
}

/** The value where it is a text, else an empty one. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const MAX_SHOWN_CHARS = 80;
const quoted = (value: unknown): string => JSON.stringify(textOf(value).slice(0, MAX_SHOWN_CHARS));
