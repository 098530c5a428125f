// How objects are shown: as they are, as Table rows, or as metadata alone; by the Accept header.
// Invariant: what is shown as it is stays bytes; only the other forms are parsed.
import type { LooseObject } from '../../api/meta/object.ts';
import { badRequest, StatusError } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import { type IncludeObject, partialMetadata, toTable } from '../../api/wire/table.ts';
import { type MediaRange, parseAccept } from '../discovery/accept.ts';
import type { Exchange } from '../exchange.ts';
import { objectReply, storedReply } from '../reply.ts';

/** The form an answer takes. */
export type Presentation = 'object' | 'table' | 'metadata';

const META_GROUP = 'meta.k8s.io';

/** What the Accept header asks for, first fit first. Throws NotAcceptable; BadRequest for Tables of a form that is none. */
export function presentationOf(exchange: Pick<Exchange, 'request'>): Presentation {
  const { accept } = exchange.request.headers;
  if (accept === undefined || accept === 'application/json') return 'object';
  const ranges = parseAccept(accept);
  if (ranges.length === 0) return 'object';
  for (const range of ranges) {
    const form = formOf(range);
    if (form === 'table') includedPart(exchange.request.query.get('includeObject'));
    if (form) return form;
  }
  throw new StatusError(
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml',
  );
}

const PLAIN_TYPES = new Set(['application/json', 'application/yaml', '*/*', 'application/*']);

function formOf(range: MediaRange): Presentation | undefined {
  if (!PLAIN_TYPES.has(range.type)) return undefined;
  const { as, g, v } = range.parameters;
  if (as === undefined) return 'object';
  if (g !== META_GROUP || v !== 'v1') return undefined;
  if (as === 'Table') return 'table';
  return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList'
    ? 'metadata'
    : undefined;
}

/** Makes the reply that shows one object in a form. */
export type ObjectPresenter = (
  stored: { readonly bytes: Uint8Array; object(): LooseObject },
  status?: number,
) => Reply;

/** Shows objects as the caller asked. Writes take one before they write: a form that is none must not change anything. */
export function objectPresenter(exchange: Exchange): ObjectPresenter {
  const form = presentationOf(exchange);
  return (stored, status = 200) =>
    form === 'object'
      ? storedReply(stored, status)
      : objectReply(inForm(form, exchange, stored.object()), status);
}

/** Shows values that are not stored, such as a Scale, with columns of their own; taken before a write as the other is. */
export function valuePresenter(
  { request, server }: Exchange,
  columns: Shown['definition']['columns'],
): (value: LooseObject) => Reply {
  const form = presentationOf({ request });
  const shown = { request, server, definition: { columns } };
  return (value) => objectReply(form === 'object' ? value : inForm(form, shown, value));
}

/** What a Table is made with. */
interface Shown extends Pick<Exchange, 'request' | 'server'> {
  readonly definition: Pick<Exchange['definition'], 'columns'>;
}

function inForm(form: 'table' | 'metadata', shown: Shown, value: LooseObject): object {
  if (form === 'metadata') return partialMetadata(value);
  const { resourceVersion = '' } = value.metadata;
  return tableOf(shown, [value], { listMeta: { resourceVersion }, columns: true });
}

/** Objects as a Table. */
export function tableOf(
  { definition, request, server }: Shown,
  objects: readonly LooseObject[],
  options: { listMeta: object; columns: boolean },
): object {
  return toTable(definition, objects, {
    includeObject: includedPart(request.query.get('includeObject')),
    nowMs: server.clock.now(),
    ...options,
  });
}

const PARTS: readonly IncludeObject[] = ['None', 'Metadata', 'Object'];

function includedPart(asked: string | null): IncludeObject {
  if (asked === null || asked === '') return 'Metadata';
  const known = PARTS.find((part) => part === asked);
  if (known) return known;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(asked)}`);
}
