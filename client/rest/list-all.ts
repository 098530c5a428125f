// Reads a whole collection page by page, so that no answer is larger than a page.
// Invariant: all pages show one revision, or the caller is told Expired.
import type { KubeList, KubeObject } from '../../api/meta/object.ts';
import type { ListOptions, ResourceClient } from './client.ts';

/** Items per page unless told. */
export const LIST_PAGE_SIZE = 500;

/** The pages of a collection, in order. Throws StatusError Expired when history no longer covers them. */
export async function* listPages<T extends KubeObject>(
  resource: ResourceClient<T>,
  options: Omit<ListOptions, 'continue'> = {},
): AsyncGenerator<KubeList<T>> {
  let token: string | undefined;
  do {
    const first = token === undefined;
    // A continue token names its revision; giving one beside it is an error upstream.
    const at = first ? {} : { resourceVersion: undefined, resourceVersionMatch: undefined };
    const limit = options.limit ?? LIST_PAGE_SIZE;
    const page: KubeList<T> = await resource.list({ ...options, ...at, limit, continue: token });
    yield page;
    token = page.metadata.continue || undefined;
  } while (token !== undefined);
}

/** Every object of a collection, one after another. */
export async function* listAll<T extends KubeObject>(
  resource: ResourceClient<T>,
  options: Omit<ListOptions, 'continue'> = {},
): AsyncGenerator<T> {
  for await (const page of listPages(resource, options)) yield* page.items;
}
