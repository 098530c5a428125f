// JSON Patch (RFC 6902), `application/json-patch+json`.
// Invariant: neither the object nor the patch is changed, and no patch reaches a prototype.
import fastJsonPatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';
import { badRequest, StatusError } from '../../api/status.ts';
import { faultOf } from './json-patch-faults.ts';
import { checkDepth, doesNotApply, isObject } from './patch-error.ts';
import type { JsonObject } from './patch-error.ts';

/** Operations in one patch; upstream's limit. */
export const MAX_OPERATIONS = 10_000;

/**
 * Bytes that `copy` operations may add up to in one patch; upstream's limit. A few of them could
 * double an object each.
 */
export const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** What points somewhere in a move or a copy. */
const BOTH = ['path', 'from'];

const OPERATIONS = ['add', 'copy', 'move', 'remove', 'replace', 'test'];

/**
 * The object after all operations, or an error and no change. Throws BadRequest, Invalid or
 * RequestEntityTooLarge.
 */
export function applyJsonPatch(current: JsonObject, patch: unknown): JsonObject {
  const operations = readOperations(patch);
  let document: unknown = structuredClone(current);
  let copied = 0;
  for (const [index, operation] of operations.entries()) {
    copied += copiedBytes(document, operation);
    if (copied > MAX_COPIED_BYTES) {
      throw tooLarge(`copied values may take up to ${MAX_COPIED_BYTES} bytes in one JSON patch`);
    }
    document = applyOne(document, operation, index);
  }
  if (!isObject(document)) throw doesNotApply('the patch leaves no object');
  return document;
}

function readOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) {
    throw badRequest('error decoding patch: a JSON patch is a list of operations');
  }
  if (patch.length > MAX_OPERATIONS) {
    throw tooLarge(
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  checkDepth(patch);
  return patch.map((operation: unknown, index) => {
    if (!isObject(operation) || !OPERATIONS.includes(String(operation['op']))) {
      throw badRequest(
        `error decoding patch: operation ${index} is none of ${OPERATIONS.join(', ')}`,
      );
    }
    // The library puts values into the document as they are; they must not be shared with the
    // caller.
    return structuredClone(operation) as unknown as Operation;
  });
}

function copiedBytes(document: unknown, operation: Operation): number {
  if (operation.op !== 'copy') return 0;
  try {
    const value: unknown = fastJsonPatch.getValueByPointer(document, operation.from);
    return Buffer.byteLength(JSON.stringify(value) ?? '');
  } catch (error) {
    if (error instanceof RangeError) throw doesNotApply('the copied value is nested too deeply');
    // A pointer to nowhere: the operation itself says so.
    return 0;
  }
}

function applyOne(document: unknown, operation: Operation, index: number): unknown {
  // The library looks inside without asking.
  if (!isObject(document))
    throw doesNotApply(`operation ${index}: the ones before it leave no object`);
  for (const pointer of operation.op === 'move' || operation.op === 'copy' ? BOTH : ['path'])
    if (typeof (operation as unknown as JsonObject)[pointer] !== 'string')
      throw doesNotApply(`operation ${index}: ${pointer} has to be a JSON pointer, a text`);
  // RFC 6902, section 4.4; the library would tie a knot that nothing can write down.
  if (operation.op === 'move' && operation.path.startsWith(`${operation.from}/`))
    throw doesNotApply(`move ${JSON.stringify(operation.path)}: a value cannot move into itself`);
  try {
    // Validated, in place (the document is our own copy), prototypes out of bounds.
    const exact = withValue(document, operation);
    return fastJsonPatch.applyOperation(document, exact, true, true, true, index).newDocument;
  } catch (error) {
    const fault = faultOf(document, operation);
    if (fault !== undefined) throw doesNotApply(fault, error);
    // What else it finds, such as a way to a prototype, it says itself.
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw doesNotApply(`${operation.op} ${JSON.stringify(operation.path)}: ${why}`, error);
  }
}

/** Did a patch not apply for a test in it that failed, and for nothing else? */
export function isFailedTest({ cause }: StatusError): boolean {
  return (
    cause instanceof fastJsonPatch.JsonPatchError &&
    (cause.name as string) === 'TEST_OPERATION_FAILED'
  );
}

/** A copy as what it adds: the library copies through JSON, and loses what only bigints hold. */
function withValue(document: unknown, operation: Operation): Operation {
  if (operation.op !== 'copy') return operation;
  const value: unknown = fastJsonPatch.getValueByPointer(document, operation.from);
  if (value === undefined) return operation;
  return { op: 'add', path: operation.path, value: structuredClone(value) };
}

function tooLarge(message: string): StatusError {
  return new StatusError('RequestEntityTooLarge', message);
}
