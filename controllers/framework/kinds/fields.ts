// Fields of Kubernetes' own kind, for schemas in zod: amounts, durations, lists with keys, whole objects.
// Invariant: each is a schema of zod like any other, and says in a definition what upstream's own kinds say.
import { z } from './zod.ts';
import type { KubeObject } from '../../../api/meta/object.ts';

/** What a quantity looks like, as upstream's definitions have it. */
const QUANTITY =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$';

const eitherType = { anyOf: [{ type: 'integer' }, { type: 'string' }] };

/** A value of which the server is told by these keywords alone. */
function told<T>(keywords: Record<string, unknown>): z.ZodType<T, T> {
  return z.unknown().meta(keywords) as unknown as z.ZodType<T, T>;
}

/** A whole number or a text, as ports and percentages are (`80`, `http`, `25%`). */
export function intOrString(): z.ZodType<number | string, number | string> {
  return told({ ...eitherType, 'x-kubernetes-int-or-string': true });
}

/** An amount such as `250m` or `1.5Gi`, or a whole number. */
export function quantity(): z.ZodType<number | string, number | string> {
  return told({ ...eitherType, pattern: QUANTITY, 'x-kubernetes-int-or-string': true });
}

/** A length of time such as `1h30m`, in the form of Go. */
export function duration(): z.ZodString {
  return z.string().meta({ format: 'duration', examples: ['1h30m'] });
}

/** A moment in RFC 3339, as in metadata.creationTimestamp. */
export function timestamp(): z.ZodString {
  return z.string().meta({ format: 'date-time', examples: ['2026-01-02T03:04:05Z'] });
}

/** Anything: stored as it is, and never looked at. */
export function anything<T = unknown>(): z.ZodType<T, T> {
  return told({ 'x-kubernetes-preserve-unknown-fields': true });
}

/** An object of any kind within the object; apiVersion, kind and metadata are checked, the rest is kept as it is. */
export function embeddedObject<T extends KubeObject = KubeObject>(): z.ZodType<T, T> {
  return told({
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
  });
}

/** A list without repetitions, which several writers may share (server-side apply merges it). */
export function listSet<S extends z.ZodType>(item: S): z.ZodArray<S> {
  return z.array(item).meta({ 'x-kubernetes-list-type': 'set' });
}

/** A list of objects told apart by these fields, which several writers may share. Keys are required, or have a default. */
export function listMap<S extends z.ZodObject>(
  item: S,
  ...keys: readonly (keyof z.input<S> & string)[]
): z.ZodArray<S> {
  return z
    .array(item)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [...keys] });
}

/** Conditions, told apart by their type, as `withCondition` writes them. */
export function conditions(): z.ZodArray<typeof CONDITION> {
  return listMap(CONDITION, 'type');
}

const CONDITION = z.object({
  type: z.string().max(316).describe('What the condition is about.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Does it hold?'),
  observedGeneration: z.int().min(0).optional().describe('The generation that it was found at.'),
  lastTransitionTime: timestamp().describe('When the status changed last.'),
  reason: z.string().min(1).max(1024).describe('Why, as one word for programs.'),
  message: z.string().max(32_768).describe('Why, for people.'),
});
