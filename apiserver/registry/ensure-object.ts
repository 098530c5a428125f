// Writes objects that the server itself keeps in its store: made where they are missing, else brought up to date.
// Invariant: repeatable; what a write leaves as it was is not written.
import type { ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { ServerParts } from '../exchange.ts';
import { trackWrite, type Writer } from '../managedfields/track-write.ts';
import { prepareForCreate, structuredCopy } from './preparation.ts';

/** Who owns what the server writes of its own accord. */
const MANAGER = 'kube-apiserver';

/** From an object that is there to what it is to be; the same object where nothing is to change. */
export type BringUpToDate = (old: LooseObject) => LooseObject;

const asItIs: BringUpToDate = (old) => old;

/** Has an object there; one that is there already is left alone unless `bringUpToDate` changes it. */
export async function ensureObject(
  server: ServerParts,
  wanted: LooseObject,
  bringUpToDate: BringUpToDate = asItIs,
): Promise<void> {
  const definition = definitionOf(server, wanted);
  const { name = '', namespace = '' } = wanted.metadata;
  const at = { definition, namespace, name };
  const object = structuredCopy(wanted);
  definition.defaults?.(object);
  const now = formatTime(server.clock.now());
  const { scheme } = server;
  const written = definition.hasStatus ? 'all but status' : 'everything';
  const writer: Writer = { scheme, definition, manager: MANAGER, subresource: '', written, now };
  const owners = await trackWrite(writer, {
    before: undefined,
    after: object,
    submitted: undefined,
  });
  prepareForCreate(definition, object, { uid: server.random.uuid(), now });
  if (owners) object.metadata.managedFields = [...owners];
  if (wanted['status'] !== undefined) object['status'] = structuredCopy(wanted['status']);
  if (await server.registry.create(at, object, false)) return;
  await server.registry.update(
    at,
    async (old) => {
      const after = bringUpToDate(old);
      if (after === old) return { kind: 'keep' };
      const kept = await trackWrite(writer, { before: old, after, submitted: undefined });
      const metadata = { ...after.metadata, ...(kept && { managedFields: [...kept] }) };
      return { kind: 'put', object: { ...after, metadata } };
    },
    { dryRun: false },
  );
}

function definitionOf(server: ServerParts, { apiVersion, kind }: LooseObject): ResourceDefinition {
  const slash = apiVersion.lastIndexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const definition = server.scheme.byKind(group, apiVersion.slice(slash + 1), kind);
  if (!definition) throw new Error(`no definition of ${apiVersion} ${kind}`);
  return definition;
}
