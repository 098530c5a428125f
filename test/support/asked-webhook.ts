// What a webhook answers to a review, without sockets: the review of a ConfigMap's creation, and the asking.
// Invariant: each question has a desk and a clock of its own; nothing is left of one when the next is asked.
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { ReviewDesk, type Webhook } from '../../controllers/framework/webhooks/review-desk.ts';

/** The object that reviews are about. */
export const CONFIG = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default', labels: { app: 'a' } },
  data: { key: 'value' },
};
const QUESTION = {
  uid: 'u1',
  kind: { group: '', version: 'v1', kind: 'ConfigMap' },
  resource: { group: '', version: 'v1', resource: 'configmaps' },
  name: 'a',
  namespace: 'default',
  operation: 'CREATE',
  userInfo: { username: 'jane', groups: ['dev'], extra: { scopes: ['x'] } },
  object: CONFIG,
  oldObject: null,
  dryRun: false,
  options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl' },
};

/** An AdmissionReview; `request` replaces parts of its question. */
export const review = (request: object = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: { ...QUESTION, ...request },
});

/** Asks a webhook, or the first of several; `response` is that of an answer with code 200. */
export async function ask(webhooks: Webhook | readonly Webhook[], body: object, query = '') {
  const all = Array.isArray(webhooks) ? (webhooks as Webhook[]) : [webhooks as Webhook];
  const desk = new ReviewDesk(all, { clock: new VirtualClock(), logger: silentLogger });
  const { code, body: text } = await desk.answer({
    target: `${all[0]?.path ?? ''}${query}`,
    text: JSON.stringify(body),
    signal: new AbortController().signal,
  });
  return { code, text, response: code === 200 ? JSON.parse(text).response : undefined };
}
