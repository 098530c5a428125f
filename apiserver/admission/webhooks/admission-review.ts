// AdmissionReview (admission.k8s.io/v1 and v1beta1): the question, as text, and the reading of the answer.
// Invariant: pure; objects are written into text once for all webhooks that are shown the same ones.
import type { ResourceDefinition } from '../../../api/definition.ts';
import type { GroupVersionKind } from '../../../api/schema/schema.ts';
import type { AdmissionRequest } from '../admission.ts';
import type { AdmittedObjects } from '../admitted-object.ts';
import { kindOfRequest, requestNamespace } from '../matching.ts';
import type { ReviewVersion } from './webhook-index.ts';

/** Warnings that are taken of an answer. */
export const MAX_WARNINGS = 100;
/** Audit annotations that are taken of an answer. */
export const MAX_AUDIT_ANNOTATIONS = 64;

const GROUP = 'admission.k8s.io';
const KIND = 'AdmissionReview';

/** The part of a question that every webhook is told that is shown this version: all but the uid. */
export function questionText(
  request: AdmissionRequest,
  shown: ResourceDefinition,
  { object, old }: AdmittedObjects,
): string {
  const { definition, subresource, operation, user, dryRun, options } = request;
  const { username, uid, groups, extra } = user;
  const question = {
    kind: kindOf(shown, subresource),
    resource: resourceOf(shown),
    subResource: subresource,
    requestKind: kindOf(definition, subresource),
    requestResource: resourceOf(definition),
    requestSubResource: subresource,
    name: request.name || undefined,
    namespace: requestNamespace(request) || undefined,
    operation: operation.toUpperCase(),
    userInfo: { username, uid, groups, extra },
    object: object ?? null,
    oldObject: old ?? null,
    dryRun,
    options: options ?? null,
  };
  return JSON.stringify(question).slice(1);
}

/** The whole question. */
export function reviewText(version: ReviewVersion, uid: string, question: string): string {
  const type = `"kind":"${KIND}","apiVersion":"${GROUP}/${version}"`;
  return `{${type},"request":{"uid":${JSON.stringify(uid)},${question}}`;
}

function kindOf(definition: ResourceDefinition, subresource: string | undefined): GroupVersionKind {
  const known = kindOfRequest(definition, subresource) ?? definition.ref;
  const { group, version, kind } = known;
  return { group, version, kind };
}

const resourceOf = ({ ref: { group, version, plural } }: ResourceDefinition) => ({
  group,
  version,
  resource: plural,
});

/** What a webhook said. */
export interface ReviewAnswer {
  readonly allowed: boolean;
  /** JSON text of a JSON patch. */
  readonly patch: string | undefined;
  /** A Status as the webhook wrote it. */
  readonly status: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly auditAnnotations: readonly (readonly [string, string])[];
}

/** What an answer must be the answer to. */
export interface Asked {
  readonly uid: string;
  readonly version: ReviewVersion;
  /** Only those that may change something may send a patch. */
  readonly mutating: boolean;
}

/** Reads an answer. Throws an Error that says why it is none. */
export function readAnswer(review: unknown, asked: Asked): ReviewAnswer {
  const { kind, apiVersion, response } = recordOf(review);
  const strict = asked.version === 'v1';
  if (strict && (kind !== KIND || apiVersion !== `${GROUP}/v1`)) {
    const got = `${text(apiVersion)}, Kind=${text(kind)}`;
    throw new Error(`expected webhook response of ${GROUP}/v1, Kind=${KIND}, got ${got}`);
  }
  if (response === undefined || response === null) throw new Error('webhook response was absent');
  const said = recordOf(response);
  if (strict && said['uid'] !== asked.uid)
    throw new Error(`expected response.uid="${asked.uid}", got "${text(said['uid'])}"`);
  const { allowed = false } = said;
  if (typeof allowed !== 'boolean') throw new Error('response.allowed must be true or false');
  return {
    allowed,
    patch: asked.mutating ? patchOf(said, strict) : undefined,
    status: recordOf(said['status'] ?? {}),
    warnings: textsOf(said['warnings']),
    auditAnnotations: notesOf(said['auditAnnotations']),
  };
}

function patchOf(said: Readonly<Record<string, unknown>>, strict: boolean): string | undefined {
  const { patch, patchType } = said;
  const isThere = patch !== undefined && patch !== null && patch !== '';
  if (!isThere) {
    if (strict && patchType !== undefined && patchType !== null)
      throw new Error('webhook returned response.patchType but not response.patch');
    return undefined;
  }
  if (typeof patch !== 'string') throw new Error('response.patch must be a text in base64');
  if (strict && (patchType === undefined || patchType === null))
    throw new Error('webhook returned response.patch but not response.patchType');
  if (patchType !== undefined && patchType !== null && patchType !== 'JSONPatch')
    throw new Error(`webhook returned invalid response.patchType of "${text(patchType)}"`);
  return Buffer.from(patch, 'base64').toString();
}

function textsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_WARNINGS).filter((each): each is string => typeof each === 'string');
}

function notesOf(value: unknown): ReviewAnswer['auditAnnotations'] {
  return Object.entries(recordOf(value ?? {}))
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .slice(0, MAX_AUDIT_ANNOTATIONS);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new Error('the answer is not a review');
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
