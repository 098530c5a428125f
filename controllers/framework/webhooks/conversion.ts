// Conversion of custom resources between versions by functions of one's own: which functions lead from one version to another.
// Invariant: an object comes out as the one that went in: same kind, same metadata but for labels and annotations.
import { apiVersionOf, type KindRef } from '../../../api/kind-ref.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { sameJson } from '../same-json.ts';
import { notJson } from './plain-json.ts';
import { handlerFault, messageOf, type WebhookFault } from './webhook-fault.ts';
import { mistakeIn, shown } from './handler-mistakes.ts';

/** Turns an object of one version into one of another. The object is frozen; its apiVersion and kind are filled in. */
export type Convert = (object: LooseObject) => object | Promise<object>;

/**
 * Functions by their step, `v1alpha1→v1` (or `v1alpha1->v1`), as a kind's `converters` are. Where no step leads straight from one
 * version to another, several are taken one after the other.
 */
export type ConversionFunctions = Readonly<
  Record<`${string}→${string}` | `${string}->${string}`, Convert>
>;

/** The conversion webhook of one kind. */
export interface ConversionWebhook {
  readonly sort: 'converting';
  /** The name of the definition: `backups.example.com`. */
  readonly name: string;
  readonly path: string;
  readonly ref: KindRef;
  /** Every version that a step names. */
  readonly versions: readonly string[];
  /** The object in the version. Rejects with a WebhookFault that says which step is missing or went wrong. */
  convert(object: LooseObject, apiVersion: string): Promise<LooseObject>;
}

interface Step {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly convert: Convert;
}

const STEP = /^\s*([a-z][a-z0-9]*)\s*(?:→|->)\s*([a-z][a-z0-9]*)\s*$/;

/** The webhook that converts a kind's objects. Throws TypeError for steps that are none. */
export function converting(ref: KindRef, converters: ConversionFunctions): ConversionWebhook {
  const name = `${ref.plural}.${ref.group}`;
  const steps = Object.entries(converters).map(([key, convert]): Step => {
    const [, from = '', to = ''] = STEP.exec(key) ?? [];
    if (from === '' || from === to || typeof convert !== 'function')
      throw new TypeError(
        `the converter ${JSON.stringify(key)} of ${name} is none: give functions by steps such as 'v1alpha1→v1'`,
      );
    return { name: `${from}→${to}`, from, to, convert };
  });
  if (steps.length === 0)
    throw new TypeError(`${name} has no converters: give functions by steps such as 'v1alpha1→v1'`);
  const versions = [...new Set(steps.flatMap(({ from, to }) => [from, to]))];
  return {
    sort: 'converting',
    name,
    path: `/convert.${name}`,
    ref,
    versions,
    async convert(object, apiVersion) {
      const from = versionIn(ref, object.apiVersion);
      const to = versionIn(ref, apiVersion);
      const way = fewestSteps(steps, from, to);
      if (!way)
        throw handlerFault(
          `no converter leads from ${from} to ${to}: give ${name} a converter '${from}→${to}'`,
        );
      let current = object;
      for (const step of way) current = await taken(step, current, ref);
      return current;
    },
  };
}

function versionIn(ref: KindRef, apiVersion: unknown): string {
  if (typeof apiVersion !== 'string' || !apiVersion.startsWith(`${ref.group}/`))
    throw handlerFault(
      `${ref.plural}.${ref.group} has no version ${typeof apiVersion === 'string' ? JSON.stringify(apiVersion) : shown(apiVersion)}`,
    );
  return apiVersion.slice(ref.group.length + 1);
}

function fewestSteps(
  steps: readonly Step[],
  from: string,
  to: string,
): readonly Step[] | undefined {
  // Grows while it is walked: nearer versions come first.
  const ways = new Map<string, readonly Step[]>([[from, []]]);
  for (const [version, way] of ways)
    for (const step of steps)
      if (step.from === version && !ways.has(step.to)) ways.set(step.to, [...way, step]);
  return ways.get(to);
}

async function taken(step: Step, object: LooseObject, ref: KindRef): Promise<LooseObject> {
  const result = await answerOf(step, object);
  const fault = (what: string): WebhookFault => handlerFault(`the converter ${step.name} ${what}`);
  if (!isObject(result)) throw fault('answered no object: return the object in its new version');
  const odd = notJson(result);
  if (odd !== undefined) throw fault(`answered what JSON cannot hold: ${odd}`);
  const apiVersion = apiVersionOf({ ...ref, version: step.to });
  const converted = { ...result, apiVersion, kind: object.kind } as LooseObject;
  const changed = changedMetadata(object, converted);
  if (changed !== undefined)
    throw fault(
      `changed ${changed}: of metadata only labels and annotations may change; return { ...object, spec: … }`,
    );
  return converted;
}

async function answerOf({ name, convert }: Step, object: LooseObject): Promise<unknown> {
  try {
    return await convert(object);
  } catch (error) {
    throw handlerFault(
      `the converter ${name} failed: ${mistakeIn(error) ?? messageOf(error)}`,
      error,
    );
  }
}

/** The field of metadata that is not as it was. */
function changedMetadata(before: LooseObject, after: LooseObject): string | undefined {
  const [was, now] = [before.metadata, after.metadata] as [Fields, unknown];
  if (!isObject(now)) return 'metadata';
  for (const field of Object.keys({ ...was, ...now }))
    if (field !== 'labels' && field !== 'annotations' && !sameJson(was[field], now[field]))
      return `metadata.${field}`;
  return undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
