// Applies manifests as `kubectl apply` does on the client: create what is missing, else a three-way merge
// of what was applied last, what is there and what is wanted. Shared by `pinnace apply` and the demo.
// Invariant: one document's failure keeps no other from being applied; fields of other writers are left alone.
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../api/meta/object.ts';
import { schemaNameOf } from '../../api/schema/endpoints.ts';
import { schemaOf } from '../../api/schema/schema.ts';
import { isNotFound } from '../../api/status.ts';
import {
  discover,
  type Discovery,
  qualifiedName,
  resourceOfKind,
} from '../../client/discovery/discovery.ts';
import type { Client, ResourceClient } from '../../client/rest/client.ts';
import { EMPTY_NAME } from './asked.ts';
import { Attempts, CommandFailure, failureWhile } from './command-failure.ts';
import { type DryRun, dryRunSuffix } from './dry-run.ts';
import {
  type ManifestReading,
  type NamespaceChoice,
  namespaceFor,
  readManifests,
} from './manifests.ts';
import { type ThreeWay, threeWayPatch } from './three-way-patch.ts';

/** Annotation that holds what was applied last; kubectl's own, so that both can take turns. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Kubectl's name for this: its server-side apply takes over what is owned by it. */
const MANAGER = 'kubectl-client-side-apply';

/** How to apply. */
export interface ApplyOptions extends ManifestReading, NamespaceChoice {
  readonly dryRun?: DryRun;
  /** Told of each outcome as it happens. */
  readonly onLine?: (line: string) => void;
}

/** Applies everything; answers a line per object. Throws at the end, with every failure, when some failed. */
export async function applyFiles(
  client: Client,
  paths: readonly string[],
  options: ApplyOptions = {},
): Promise<string[]> {
  const documents = readManifests(paths, options);
  if (documents.length === 0) throw new CommandFailure('no objects passed to apply');
  const discovery = await discover(client.transport);
  const lines: string[] = [];
  const attempts = new Attempts();
  for (const document of documents) {
    if (document.kind === 'broken') {
      attempts.failed(new CommandFailure(document.problem));
      continue;
    }
    const line = await attempts.make(() => applyObject({ client, discovery, options }, document));
    if (line === undefined) continue;
    lines.push(line);
    options.onLine?.(line);
  }
  attempts.end();
  return lines;
}

interface Applying {
  readonly client: Client;
  readonly discovery: Discovery;
  readonly options: ApplyOptions;
}

async function applyObject(
  at: Applying,
  { object: wanted, file }: { object: KubeObject; file: string },
): Promise<string> {
  const { name, generateName } = wanted.metadata;
  if (!name && generateName)
    throw new CommandFailure(`from ${generateName}: cannot use generate name with apply`);
  if (!name) throw new CommandFailure(`error when applying "${file}": ${EMPTY_NAME}`);
  const found = resourceOfKind(at.discovery, wanted.apiVersion, wanted.kind);
  if (!found) throw unknownKind(wanted, file);
  const resource = at.client.resource(found.ref);
  const namespace = namespaceFor(found.ref, wanted, at.options);
  const placed = withLastApplied(
    namespace ? { ...wanted, metadata: { ...wanted.metadata, namespace } } : wanted,
  );
  const where = { namespace, name, file, dryRun: at.options.dryRun ?? 'none' };
  const outcome = await createOrPatch(resource, placed, where);
  return `${qualifiedName(found)}/${name} ${outcome}${dryRunSuffix(where.dryRun)}`;
}

/** The server has no such kind. */
export function unknownKind({ apiVersion, kind, metadata }: KubeObject, file: string): Error {
  const { name = '', namespace = '' } = metadata;
  return new CommandFailure(
    `resource mapping not found for name: "${name}" namespace: "${namespace}" from "${file}": no matches for kind "${kind}" in version "${apiVersion}"\nensure CRDs are installed first`,
  );
}

interface Place {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly file: string;
  readonly dryRun: DryRun;
}

async function createOrPatch(
  resource: ResourceClient<KubeObject>,
  wanted: KubeObject,
  at: Place,
): Promise<'created' | 'configured' | 'unchanged'> {
  const write = {
    fieldManager: MANAGER,
    fieldValidation: 'Strict' as const,
    ...(at.dryRun === 'server' ? { dryRun: true } : {}),
  };
  const ref = { namespace: at.namespace, name: at.name };
  const doing = async <T>(what: string, call: Promise<T>): Promise<T> =>
    call.catch((error: unknown) => {
      throw failureWhile(`error when ${what} "${at.file}"`, error);
    });
  let current: KubeObject;
  try {
    current = await resource.get(ref);
  } catch (error) {
    if (!isNotFound(error)) throw failureWhile(`error when retrieving "${at.file}"`, error);
    if (at.dryRun !== 'client') await doing('creating', resource.create(wanted, write));
    return 'created';
  }
  // Without asking the server nobody knows what it would make of the patch; kubectl says so, too.
  if (at.dryRun === 'client') return 'configured';
  const schemaName = schemaNameOf(resource.ref);
  const states = { last: lastApplied(current), current, wanted } as unknown as ThreeWay;
  const body = threeWayPatch(states, schemaName === undefined ? undefined : schemaOf(schemaName));
  if (Object.keys(body).length === 0) return 'unchanged';
  const type = schemaName === undefined ? 'merge' : 'strategic';
  const after = await doing('patching', resource.patch(ref, { type, body }, write));
  return isDeepStrictEqual(contentOf(after), contentOf(current)) ? 'unchanged' : 'configured';
}

/** The object without what tells only that and by whom it was written. */
function contentOf(object: KubeObject): unknown {
  const { resourceVersion: _, managedFields: __, ...metadata } = object.metadata;
  return { ...object, metadata };
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
