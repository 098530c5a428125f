// What every write does about the owners of fields: who the writer is, and what the object's list says after the write.
// Invariant: one place decides which part of an object a write through a path can own.
import { WRITABLE_METADATA } from '../../api/definition.ts';
import type { LooseObject, ManagedFieldsEntry } from '../../api/meta/object.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Exchange } from '../exchange.ts';
import { managerOf } from '../managedfields/manager-name.ts';
import type { Written } from '../managedfields/object-views.ts';
import { submittedOwners } from '../managedfields/owners.ts';
import { trackWrite, type Writer, type WrittenObject } from '../managedfields/track-write.ts';

/** Which part of an object a write may change. */
export type Part = 'all but status' | 'status';

/** What a write through this path can own. */
export function writtenPart({ definition }: Pick<Exchange, 'definition'>, part: Part): Written {
  if (part === 'all but status') return definition.hasStatus ? part : 'everything';
  const kept = definition.keptByStatus?.length ?? 0;
  return kept < WRITABLE_METADATA.length ? 'status and metadata' : part;
}

/** The writer of an exchange. */
export function writerOf(exchange: Exchange, part: Part): Writer {
  const { definition, info, request, server } = exchange;
  return {
    scheme: server.scheme,
    definition,
    manager: managerOf(request),
    subresource: info.subresource ?? '',
    written: writtenPart(exchange, part),
    now: formatTime(server.clock.now()),
  };
}

/** Writes down who owns what after a write. */
export async function keepOwners(writer: Writer, change: WrittenObject): Promise<void> {
  setOwners(change.after, await trackWrite(writer, change));
}

/** Gives the object this list of owners. */
export function setOwners(
  { metadata }: LooseObject,
  entries: readonly ManagedFieldsEntry[] | undefined,
): void {
  if (entries) metadata.managedFields = entries as ManagedFieldsEntry[];
  else delete metadata.managedFields;
}

/** Where somebody from outside rewrote the list of owners, and it is none any more, it is as it was. */
export function keepSoundOwners(
  object: LooseObject,
  before: readonly ManagedFieldsEntry[] | undefined,
): void {
  const { managedFields } = object.metadata;
  if (managedFields === undefined || submittedOwners(managedFields)) return;
  setOwners(object, before);
}
