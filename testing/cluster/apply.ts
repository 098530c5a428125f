// Server-side apply of objects and of YAML texts, for tests.
// Invariant: objects go to the server in the order in which they were given; a definition of custom resources is served before what follows it.
import { apiVersionOf } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { CustomResourceDefinitions } from '../../api/kinds.ts';
import { isNotFound } from '../../api/status.ts';
import { parseManifest } from '../../api/wire/manifest.ts';
import { resourcesOfVersion } from '../../client/discovery/discovery.ts';
import type { Client, ResourceClient } from '../../client/rest/client.ts';
import { untilServed } from '../../controllers/framework/kinds/install.ts';
import { withoutIndentation } from './without-indentation.ts';

/** The field manager of what a test applies. */
const MANAGER = 'test';

/**
 * Applies everything, as an owner of every field that is given. Answers the objects as the server has them. Throws KindError for a
 * definition that the server will not serve.
 */
export async function applyAll(
  client: Client,
  given: readonly (object | string)[],
): Promise<KubeObject[]> {
  const applied: KubeObject[] = [];
  for (const object of given.flatMap(objectsOf)) {
    const resource = await resourceOf(client, object);
    const { name = '' } = object.metadata;
    const namespace = resource.ref.namespaced
      ? (object.metadata.namespace ?? 'default')
      : undefined;
    const patch = { type: 'apply', body: object, force: true } as const;
    const now = await resource.patch({ namespace, name }, patch, { fieldManager: MANAGER });
    applied.push(now);
    if (object.kind === CustomResourceDefinitions.kind)
      await untilServed(
        client.resource(CustomResourceDefinitions),
        now as CustomResourceDefinition,
      );
  }
  return applied;
}

function objectsOf(given: object | string): KubeObject[] {
  if (typeof given !== 'string') return [given as KubeObject];
  return parseManifest(withoutIndentation(given), 'the YAML given to apply').map((document) => {
    if (document.kind === 'broken') throw new Error(document.problem);
    return document.object;
  });
}

/** The resource of the object's kind, as the server has it now. */
async function resourceOf(
  client: Client,
  { apiVersion, kind, metadata }: KubeObject,
): Promise<ResourceClient<KubeObject>> {
  if (!metadata?.name)
    throw new Error(`an object of kind ${kind} without metadata.name cannot be applied`);
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const at = { group, version: apiVersion.slice(slash + 1), preferred: true };
  const resources = await resourcesOfVersion(client.transport, at).catch((error: unknown) => {
    if (isNotFound(error)) return [];
    throw error;
  });
  const found = resources.find(({ ref }) => ref.kind === kind && apiVersionOf(ref) === apiVersion);
  if (found) return client.resource(found.ref);
  throw new Error(
    `the cluster has no kind ${kind} in ${apiVersion}; apply its CustomResourceDefinition first`,
  );
}
