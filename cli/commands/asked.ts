// What a person asks for: `pods`, `pods web db`, `pod/web svc/web`, `pods,services`, `all`.
// Invariant: everything asked for is looked for; what is missing is told by itself, and hides nothing that is there.
import { type DiscoveredResource, resourcesInCategory } from '../../client/discovery/discovery.ts';
import { type Attempts, CommandFailure } from './command-failure.ts';
import type { Connection } from './connection.ts';

/** What is said of a name that is empty: for the server it would be the whole collection. */
export const EMPTY_NAME = 'resource name may not be empty';

/** A kind, and names where some are given. */
export interface Asked {
  readonly resource: DiscoveredResource;
  readonly names: readonly string[];
}

/** Reads the arguments. Throws for a type that the server does not have, and for an empty name. */
export async function whatIsAsked(
  connection: Connection,
  args: readonly string[],
): Promise<Asked[]> {
  if (args.every((arg) => arg.includes('/')))
    return Promise.all(
      args.map(async (arg) => {
        const slash = arg.indexOf('/');
        const [type, name] = [arg.slice(0, slash), arg.slice(slash + 1)];
        if (type === '' || name === '' || name.includes('/'))
          throw new CommandFailure(
            'arguments in resource/name form must have a single resource and name',
          );
        return { resource: await connection.resource(type), names: [name] };
      }),
    );
  if (args.some((arg) => arg.includes('/')))
    throw new CommandFailure('give either TYPE NAME ... or TYPE/NAME ..., not both');
  const [types = '', ...names] = args;
  if (names.includes('')) throw new CommandFailure(EMPTY_NAME);
  const named = await Promise.all(types.split(',').map((type) => resourcesOf(connection, type)));
  return named.flat().map((resource) => ({ resource, names }));
}

async function resourcesOf(connection: Connection, type: string): Promise<DiscoveredResource[]> {
  const category = resourcesInCategory(await connection.discovery(), type);
  return category.length > 0 ? [...category] : [await connection.resource(type)];
}

/** How many kinds are asked for. */
export function kindsOf(asked: readonly Asked[]): number {
  return new Set(asked.map(({ resource: { ref } }) => `${ref.group}/${ref.plural}`)).size;
}

/** A call for one name, or for the list where there is none. */
export interface Call<T> {
  (resource: DiscoveredResource, name: string | undefined): Promise<T>;
}

/** Calls for everything asked, in order; what fails is noted in `attempts`. */
export async function forAll<T>(
  asked: readonly Asked[],
  attempts: Attempts,
  call: Call<T>,
): Promise<{ resource: DiscoveredResource; answer: T }[]> {
  const answers: { resource: DiscoveredResource; answer: T }[] = [];
  for (const { resource, names } of asked)
    for (const name of names.length > 0 ? names : [undefined]) {
      const answer = await attempts.make(() => call(resource, name));
      if (answer !== undefined) answers.push({ resource, answer });
    }
  return answers;
}

/** What kubectl says when there is nothing to show. */
export function nothingFound(
  connection: Connection,
  asked: readonly Asked[],
  allNamespaces = false,
): string {
  return allNamespaces || !asked.some(({ resource }) => resource.ref.namespaced)
    ? 'No resources found\n'
    : `No resources found in ${connection.namespace} namespace.\n`;
}
