// AdmissionReview (admission.k8s.io/v1) on the side that answers: reads the question, asks the webhook, writes the answer.
// Invariant: an answer is made only of what the webhook was asked about and did say; everything else is a WebhookFault.
import { apiVersionOf, type KindRef } from '../../../api/kind-ref.ts';
import type { KubeObject, LooseObject } from '../../../api/meta/object.ts';
import type { UserInfo } from '../../../api/wire/exchange.ts';
import type { Logger } from '../../../base/logger.ts';
import {
  type AdmissionRequest,
  type AdmissionTools,
  Allowed,
  type AnswerNotes,
  type Asked,
  Denied,
  type Operation,
} from './admission.ts';
import { mistakeIn, shown } from './handler-mistakes.ts';
import { jsonDifference } from './json-difference.ts';
import { frozen, notJson } from './plain-json.ts';
import { type Question, questionOf, recordOf, textOf } from './review.ts';
import type { AdmissionWebhook } from './webhook.ts';
import { handlerFault, messageOf, WebhookFault } from './webhook-fault.ts';

const TYPE = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };

/** What a review is answered with besides its webhook. */
export interface ReviewDoors {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly tools: AdmissionTools;
}

/** The answer to a review, whole. Rejects with a WebhookFault where the webhook gave none, or the review is not for it. */
export async function answerAdmission(
  webhook: AdmissionWebhook,
  review: unknown,
  doors: ReviewDoors,
): Promise<object> {
  const question = questionOf(review, TYPE);
  const request = requestOf(webhook, question, doors);
  const said = await decisionOf(webhook, request, doors.tools);
  const { patch, verdict } = readDecision(webhook, request, said);
  return { ...TYPE, response: { uid: question.uid, ...responseOf(webhook, verdict), ...patch } };
}

function requestOf(
  webhook: AdmissionWebhook,
  question: Question,
  { logger, signal }: ReviewDoors,
): AdmissionRequest {
  const { asked, uid } = question;
  checkSubject(webhook, asked);
  const operation = textOf(asked['operation']) as Operation;
  if (!webhook.operations.includes(operation))
    throw misdirected(webhook, `the operation ${operation || 'of no name'}`);
  const object = objectIn(asked['object'], operation);
  const oldObject = objectIn(asked['oldObject'], operation);
  if (!(operation === 'DELETE' ? oldObject : object) || (operation === 'UPDATE' && !oldObject))
    throw new WebhookFault(400, `the review of ${operation} lacks the object that it is about`);
  const told: Asked & { operation: Operation; object: unknown; oldObject: unknown } = {
    uid,
    operation,
    object: frozen(object),
    oldObject: frozen(oldObject),
    name: textOf(asked['name']),
    namespace: textOf(asked['namespace']),
    subresource: textOf(asked['subResource']) || undefined,
    user: frozen(userIn(asked['userInfo'])),
    dryRun: asked['dryRun'] === true,
    options: frozen(isObject(asked['options']) ? asked['options'] : undefined),
    signal,
    logger: logger.child({ webhook: webhook.name, uid }),
  };
  return Object.freeze(told) as unknown as AdmissionRequest;
}

/** A review that comes to the wrong webhook would be given to a handler under the wrong type. */
function checkSubject({ ref, subresource, ...webhook }: AdmissionWebhook, asked: Fields): void {
  const resource = isObject(asked['resource']) ? asked['resource'] : {};
  const about = (at: Pick<KindRef, 'group' | 'version' | 'plural'>, sub: string): string =>
    `${at.plural}${sub && '/'}${sub} of ${apiVersionOf(at)}`;
  const got = about(
    {
      group: textOf(resource['group']),
      version: textOf(resource['version']),
      plural: textOf(resource['resource']),
    },
    textOf(asked['subResource']),
  );
  if (got !== about(ref, subresource)) throw misdirected(webhook, got);
}

function misdirected({ name }: Pick<AdmissionWebhook, 'name'>, what: string): WebhookFault {
  return new WebhookFault(
    400,
    `the webhook ${name} is not about ${what}: compare the rules in its configuration with webhookConfigurations()`,
  );
}

async function decisionOf(
  webhook: AdmissionWebhook,
  request: AdmissionRequest,
  tools: AdmissionTools,
): Promise<unknown> {
  try {
    return await webhook.admit(request, tools);
  } catch (error) {
    throw handlerFault(
      `admit of ${webhook.name} failed: ${mistakeIn(error) ?? messageOf(error)}`,
      error,
    );
  }
}

type Verdict = Allowed<unknown> | Denied;

interface Decision {
  readonly verdict: Verdict;
  readonly patch: { readonly patchType: 'JSONPatch'; readonly patch: string } | undefined;
}

function readDecision(
  webhook: AdmissionWebhook,
  request: AdmissionRequest,
  said: unknown,
): Decision {
  const fault = (what: string) => handlerFault(`admit of ${webhook.name} ${what}`);
  if (said instanceof Denied) return { verdict: said, patch: undefined };
  const verdict = said instanceof Allowed ? said : undefined;
  const changed: unknown = verdict ? verdict.object : said;
  const changes = webhook.sort === 'mutating';
  if (!verdict && !changes)
    throw fault(
      `answered ${shown(said)}: return allow() or deny('why'), and await what is asynchronous`,
    );
  if (changed === undefined || changed === request.object)
    return { verdict: verdict ?? new Allowed(undefined, {}), patch: undefined };
  if (!changes) throw fault('answered an object: only mutating webhooks change objects');
  return {
    verdict: verdict ?? new Allowed(undefined, {}),
    patch: patchTo(changed, request, fault),
  };
}

function patchTo(
  changed: unknown,
  { object, operation }: AdmissionRequest,
  fault: (what: string) => WebhookFault,
): Decision['patch'] {
  if (!isObject(changed) || !isWhole(changed, object))
    throw fault(
      `answered ${shown(changed)}: return the whole changed object, as { ...object, spec: … }; the same object, or nothing, to leave it; or deny('why')`,
    );
  const odd = notJson(changed);
  if (odd !== undefined) throw fault(`answered what JSON cannot hold: ${odd}`);
  if (!object) throw fault(`answered an object to ${operation}, which has none to change`);
  const operations = jsonDifference(object, changed);
  if (operations.length === 0) return undefined;
  return {
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  };
}

/** A part of the object would be taken for the wish to remove the rest of it. */
const isWhole = (changed: Fields, object: KubeObject | undefined): boolean =>
  changed['apiVersion'] === object?.apiVersion &&
  changed['kind'] === object?.kind &&
  (object?.metadata === undefined || isObject(changed['metadata']));

function responseOf(webhook: AdmissionWebhook, verdict: Verdict): object {
  const { warnings, auditAnnotations } = checkedNotes(webhook, verdict.notes);
  return {
    allowed: verdict.allowed,
    ...(verdict.allowed ? {} : { status: verdict.status }),
    ...(warnings && { warnings }),
    ...(auditAnnotations && { auditAnnotations }),
  };
}

function checkedNotes(webhook: AdmissionWebhook, notes: AnswerNotes): AnswerNotes {
  const { warnings = [], auditAnnotations = {} } = notes;
  const texts = Array.isArray(warnings) ? [...warnings, ...Object.values(auditAnnotations)] : [0];
  if (texts.every((each) => typeof each === 'string')) return notes;
  throw handlerFault(
    `admit of ${webhook.name} answered warnings or audit annotations that are no texts: give warnings as a list of strings, annotations as strings by key`,
  );
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object, if there is one: with what every handler relies on. Options of connections have no metadata. */
function objectIn(value: unknown, operation: Operation): LooseObject | undefined {
  if (value === undefined || value === null) return undefined;
  const { apiVersion, kind, metadata } = recordOf(value, 'an object in the review');
  const isTyped = typeof apiVersion === 'string' && typeof kind === 'string';
  if (!isTyped || !(isObject(metadata) || (operation === 'CONNECT' && metadata === undefined)))
    throw new WebhookFault(400, 'an object in the review lacks apiVersion, kind or metadata');
  return value as LooseObject;
}

function userIn(value: unknown): UserInfo {
  const { username, uid, groups, extra } = recordOf(value ?? {}, 'request.userInfo');
  return {
    username: textOf(username),
    ...(typeof uid === 'string' && { uid }),
    groups: Array.isArray(groups) ? groups.filter((each) => typeof each === 'string') : [],
    ...(isObject(extra) && { extra: extra as Record<string, readonly string[]> }),
  };
}
