// What a webhook's patch makes of a request's object.
// Invariant: a patch applies as a whole and leaves an object of the kind, or the request fails and nothing was changed.
import { parseExactJson } from '../../../base/exact-json.ts';
import type { ResourceDefinition } from '../../../api/definition.ts';
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { StatusError } from '../../../api/status.ts';
import { applyJsonPatch } from '../../patch/json-patch.ts';
import type { AdmissionRequest } from '../admission.ts';
import { takeBack } from '../admitted-object.ts';
import { internalError } from './webhook-caller.ts';

/** A patch, and what it is about. */
export interface WebhookPatch {
  readonly webhook: string;
  /** JSON text. */
  readonly patch: string;
  readonly shown: ResourceDefinition;
  /** The object as the webhook saw it. */
  readonly object: LooseObject | undefined;
}

/** Puts the patched object in the place of the request's; whether that changed anything. Throws InternalError, as upstream. */
export async function applyWebhookPatch(
  request: AdmissionRequest,
  { webhook, patch, shown, object }: WebhookPatch,
): Promise<boolean> {
  const refuse = (why: string) => internalError(`admission webhook "${webhook}" ${why}`);
  const operations = operationsIn(patch);
  if (!operations) throw refuse('sent a patch that is not a list of operations in JSON');
  if (operations.length === 0) return false;
  if (object === undefined)
    throw refuse('attempted to modify the object, which is not supported for this operation');
  try {
    const patched = applyJsonPatch(object, operations) as LooseObject;
    if (deepEqual(patched, object)) return false;
    await takeBack(request, { shown, reading: 'leniently' }, patched);
    return true;
  } catch (error) {
    if (error instanceof StatusError)
      throw refuse(`sent a patch that does not fit: ${error.message}`);
    throw error;
  }
}

function operationsIn(patch: string): unknown[] | undefined {
  try {
    const operations = parseExactJson(patch);
    return Array.isArray(operations) ? operations : undefined;
  } catch {
    return undefined;
  }
}
