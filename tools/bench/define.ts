// Definitions put into a server that is measured, as an operator's installation does: several at a time, until each is established.
// Invariant: a definition counts once its condition says so, seen by a watch that began before the first was created.
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { CustomResourceDefinitions } from '../../api/kinds.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { Client } from '../../client/rest/client.ts';

/** Definitions that are on their way at once. */
const AT_ONCE = 32;

/** Creates them; resolves when all are established. */
export async function define(
  client: Client,
  definitions: readonly CustomResourceDefinition[],
): Promise<void> {
  const open = definitions.values();
  const creating = Array.from({ length: Math.min(AT_ONCE, definitions.length) }, async () => {
    for (const definition of open)
      await client.resource(CustomResourceDefinitions).create(definition);
  });
  await Promise.all([...creating, established(client, definitions)]);
}

/** Resolves when these definitions, which may be yet to come, are established. */
async function established(
  client: Client,
  definitions: readonly CustomResourceDefinition[],
): Promise<void> {
  const open = new Set(definitions.map(({ metadata }) => metadata.name));
  const ended = new AbortController();
  const watch = client.resource(CustomResourceDefinitions).watch({ signal: ended.signal });
  for await (const events of watch) {
    for (const { object } of events)
      if (isConditionTrue(object.status?.conditions, 'Established'))
        open.delete(object.metadata.name);
    if (open.size === 0) break;
  }
  ended.abort();
}
