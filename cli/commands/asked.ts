// What a person asks for: `pods`, `pods web db`, `pod/web svc/web`, `pods,services`, `all`.
// Invariant: everything asked for is looked for; what is missing is told by itself, and hides nothing that is there.
import { type DiscoveredResource, resourcesInCategory } from '../../client/discovery/discovery.ts';
import { type Attempts, CommandFailure } from './command-failure.ts';
import type { Connection } from './connection.ts';

/** A kind, and names where some are given. */
export interface Asked {
  readonly resource: DiscoveredResource;
  readonly names: readonly string[];
}

/** Reads the arguments. Throws for a type that the server does not have. */
export async function whatIsAsked(
  connection: Connection,
  args: readonly string[],
): Promise<Asked[]> {
  if (args.every((arg) => arg.includes('/')))
    return Promise.all(
      args.map(async (arg) => {
        const slash = arg.indexOf('/');
        const resource = await connection.resource(arg.slice(0, slash));
        return { resource, names: [arg.slice(slash + 1)] };
      }),
    );
  if (args.some((arg) => arg.includes('/')))
    throw new CommandFailure('give either TYPE NAME ... or TYPE/NAME ..., not both');
  const [types = '', ...names] = args;
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
