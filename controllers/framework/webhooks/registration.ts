// Puts webhooks before the API server: applies their configurations at start, and keeps the authorities in them current.
// Invariant: after the start only caBundle is written, and only where it is not as it should be: what a person changed by hand, or
// took away, stays so until the program starts again.
import { keyOf, type KubeObject } from '../../../api/meta/object.ts';
import { isInvalid, isNotFound } from '../../../api/status.ts';
import type { Client } from '../../../client/rest/client.ts';
import type { ControllerFactory, Source } from '../reconciler.ts';
import { done } from '../reconciler.ts';
import { withTrust } from './ca-bundle.ts';
import type { ConfigurationObject } from './configurations.ts';

/** Applies the objects, taking over fields that others own. Rejects where a definition is not installed, and says so. */
export async function applyConfigurations(
  client: Client,
  objects: readonly ConfigurationObject[],
  { fieldManager, signal }: { readonly fieldManager: string; readonly signal: AbortSignal },
): Promise<void> {
  for (const { ref, object } of objects) {
    const resource = client.resource(ref);
    const { name = '' } = object.metadata;
    const patch = { type: 'apply', body: object, force: true } as const;
    try {
      await resource.patch({ name }, patch, { fieldManager, signal });
    } catch (error) {
      const isPart = 'spec' in object && isInvalid(error);
      if (isPart && (await isMissing(client, { ref, object }, signal)))
        throw new Error(
          `the definition ${name} is not installed: install it before the webhook that converts its objects`,
          { cause: error },
        );
      throw error;
    }
  }
}

async function isMissing(
  client: Client,
  { ref, object }: ConfigurationObject,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await client.resource(ref).get({ name: object.metadata.name ?? '' }, { signal });
    return false;
  } catch (error) {
    return isNotFound(error);
  }
}

/** Which authorities the configurations are to name. */
export interface Trust {
  /** PEM; undefined where others put it in. */
  readonly caBundle: string | undefined;
  /** Calls `changed` whenever it is another one. */
  follow(changed: () => void): void;
}

/** Keeps `caBundle` in these objects' entries as `trust` has it; objects and entries that are gone are left alone. */
export function trustController(
  objects: readonly ConfigurationObject[],
  trust: Trust,
): ControllerFactory {
  const names = new Map(objects.map((each) => [keyFor(each.ref.kind, each.object), each]));
  return ({ client, informers }) => {
    const sources = objects.map(({ ref, object }): Source => {
      const fieldSelector = `metadata.name=${object.metadata.name}`;
      return { ref, scope: { fieldSelector }, keys: (changed) => [keyFor(ref.kind, changed)] };
    });
    return {
      name: 'webhook-trust',
      sources,
      // A source that comes tells all that it knows: with another authority each object is looked at again.
      moreSources: (add) => trust.follow(() => sources.forEach((each) => add(each)())),
      async reconcile(key, { signal, logger }) {
        const wanted = names.get(key);
        const { caBundle } = trust;
        if (!wanted || caBundle === undefined) return done;
        const { ref, object } = wanted;
        const fieldSelector = `metadata.name=${object.metadata.name}`;
        const current = informers.informer(ref, { fieldSelector }).get(object.metadata.name ?? '');
        const trusting = current && withTrust(current, object, caBundle);
        if (!trusting || trusting === current) return done;
        await client.resource(ref).update(trusting, { signal });
        logger.info('the authority of webhooks is put in');
        return done;
      },
    };
  };
}

const keyFor = (kind: string, object: KubeObject): string => `${kind} ${keyOf(object)}`;
