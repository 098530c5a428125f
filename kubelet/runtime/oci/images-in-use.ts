// Which images containers are made from, told from a runtime's records by who is not the runtime: commands that remove images.
// Invariant: a container counts from before its first file is made until its last is gone, whether it runs or not.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readRecord } from '../../../system/record-file.ts';
import { layoutFor } from './layout.ts';
import type { ContainerRecord } from './records.ts';

/** Ids of the images of all containers below a runtime's state directory; none where there is no such directory. */
export function imagesInUse(stateDir: string): ReadonlySet<string> {
  const { containers } = layoutFor(stateDir, '');
  return new Set(namesIn(containers).flatMap((id) => imageOf(join(containers, id)) ?? []));
}

/** Nothing for a container that is going, or of which its runtime will find nothing either. */
function imageOf(container: string): string | undefined {
  try {
    const record = readRecord(join(container, 'container.json'));
    return (record as Partial<ContainerRecord> | undefined)?.config?.imageId;
  } catch {
    return undefined;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
