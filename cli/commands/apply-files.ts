// Applies manifests as `kubectl apply` does on the client: create what is missing, else a three-way merge
// of what was applied last, what is there and what is wanted. Shared by `pinnace apply` and the demo.
// Invariant: one document's failure keeps no other from being applied; fields of other writers are left alone.
import type { KubeObject, LooseObject } from '../../api/meta/object.ts';
import { isNotFound } from '../../api/status.ts';
import { discover, type Discovery, resourceOfKind } from '../../client/discovery/discovery.ts';
import type { Client, ResourceClient } from '../../client/rest/client.ts';
import { CommandFailure } from './command-failure.ts';
import { readManifests } from './manifests.ts';

/** Annotation that holds what was applied last; kubectl's own, so that both can take turns. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Kubectl's name for this: its server-side apply takes over what is owned by it. */
const MANAGER = 'kubectl-client-side-apply';

/** How to apply. */
export interface ApplyOptions {
  /** For objects that name none. */
  readonly namespace?: string;
  readonly dryRun?: boolean;
  /** Told of each outcome as it happens. */
  readonly onLine?: (line: string) => void;
}

/** Applies everything; answers a line per object. Throws at the end, with every failure, when some failed. */
export async function applyFiles(
  client: Client,
  paths: readonly string[],
  options: ApplyOptions = {},
): Promise<string[]> {
  const discovery = await discover(client.transport);
  const lines: string[] = [];
  const failures: string[] = [];
  for (const document of readManifests(paths)) {
    if (document.kind === 'broken') {
      failures.push(document.problem);
      continue;
    }
    try {
      const line = await applyObject({ client, discovery, options }, document.object);
      lines.push(line);
      options.onLine?.(line);
    } catch (error) {
      failures.push(`${document.from}: ${(error as Error).message}`);
    }
  }
  if (failures.length > 0) throw new CommandFailure(failures.join('\nerror: '));
  return lines;
}

interface Applying {
  readonly client: Client;
  readonly discovery: Discovery;
  readonly options: ApplyOptions;
}

async function applyObject(at: Applying, wanted: KubeObject): Promise<string> {
  const found = resourceOfKind(at.discovery, wanted.apiVersion, wanted.kind);
  if (!found)
    throw new CommandFailure(
      `resource mapping not found: no matches for kind "${wanted.kind}" in version "${wanted.apiVersion}"`,
    );
  const resource = at.client.resource(found.ref);
  const namespace = found.ref.namespaced
    ? (wanted.metadata.namespace ?? at.options.namespace ?? 'default')
    : undefined;
  const placed = withLastApplied(
    namespace ? { ...wanted, metadata: { ...wanted.metadata, namespace } } : wanted,
  );
  const name = wanted.metadata.name ?? '';
  const outcome = await createOrPatch(resource, placed, { namespace, name, options: at.options });
  const group = found.ref.group === '' ? '' : `.${found.ref.group}`;
  return `${found.singular}${group}/${name} ${outcome}${at.options.dryRun ? ' (server dry run)' : ''}`;
}

async function createOrPatch(
  resource: ResourceClient<KubeObject>,
  wanted: KubeObject,
  at: { namespace: string | undefined; name: string; options: ApplyOptions },
): Promise<'created' | 'configured' | 'unchanged'> {
  const write = {
    fieldManager: MANAGER,
    fieldValidation: 'Strict' as const,
    ...(at.options.dryRun ? { dryRun: true } : {}),
  };
  const ref = { namespace: at.namespace, name: at.name };
  let current: KubeObject;
  try {
    current = await resource.get(ref);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await resource.create(wanted, write);
    return 'created';
  }
  const patch = threeWayPatch(lastApplied(current), wanted as LooseObject);
  const after = await resource.patch(ref, { type: 'merge', body: patch }, write);
  const changed = after.metadata.resourceVersion !== current.metadata.resourceVersion;
  return changed ? 'configured' : 'unchanged';
}

function withLastApplied(object: KubeObject): KubeObject {
  const { [LAST_APPLIED]: _, ...annotations } = object.metadata.annotations ?? {};
  const bare = { ...object, metadata: { ...object.metadata, annotations } };
  return {
    ...bare,
    metadata: {
      ...bare.metadata,
      annotations: { ...annotations, [LAST_APPLIED]: `${JSON.stringify(bare)}\n` },
    },
  };
}

function lastApplied(object: KubeObject): Record<string, unknown> {
  const text = object.metadata.annotations?.[LAST_APPLIED];
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** A merge patch (RFC 7396) that sets what is wanted and removes what was applied last and is wanted no more. */
export function threeWayPatch(
  last: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(last)) if (!(key in wanted)) patch[key] = null;
  for (const [key, value] of Object.entries(wanted)) {
    const before = last[key];
    patch[key] = isMap(value) ? threeWayPatch(isMap(before) ? before : {}, value) : value;
  }
  return patch;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
