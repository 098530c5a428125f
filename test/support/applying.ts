// Server-side applies in tests: the calls, and owners in a form that is short to write down.
import type { ApiCaller, Called, Json } from './api-caller.ts';

/** How a configuration is applied. */
export interface Applying {
  readonly manager?: string;
  readonly query?: string;
  readonly as?: string;
}

/** How to apply an object, or the text of one, at a path. */
export type Apply = (path: string, body: unknown, how?: Applying) => Promise<Called>;

/** Applies to a server. */
export function applierTo(api: ApiCaller): Apply {
  return (path, body, { manager = 'one', query = '', as } = {}) => {
    const asked = `${path}?${manager === '' ? '' : `fieldManager=${manager}&`}${query}`;
    const type = 'application/apply-patch+yaml';
    return api.call('PATCH', asked, { type, body, ...(as && { as }) });
  };
}

/** Each owner as `manager operation[/subresource]`, with its fields. */
export function ownersOf({ metadata }: Pick<Json, 'metadata'>): Record<string, object> {
  return Object.fromEntries(
    (metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => [
      `${manager} ${operation}${subresource ? `/${subresource}` : ''}`,
      fieldsV1 ?? {},
    ]),
  );
}
