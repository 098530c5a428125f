// Connections to pods, nodes and Services pass admission before they are made: CONNECT, with the options of the connection
// (PodExecOptions and its kin) as its object. Invariant: what admission made of the options is what the connection is made with.
import { table } from '../../base/table.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { StatusError } from '../../api/status.ts';
import type { Exchange } from '../exchange.ts';
import { kindOfRequest } from '../admission/matching.ts';
import { admissionOf } from './admission-request.ts';

/** How an option is written in a query. */
type Sort = 'flag' | 'text' | 'texts' | 'number';

const STREAMS: Readonly<Record<string, Sort>> = table({
  stdin: 'flag',
  stdout: 'flag',
  stderr: 'flag',
  tty: 'flag',
  container: 'text',
});
const OPTIONS: Readonly<Record<string, Readonly<Record<string, Sort>>>> = table({
  attach: STREAMS,
  exec: { ...STREAMS, command: 'texts' },
  portforward: { ports: 'number' },
});
const TRUE = new Set(['true', '1', 't', 'T', 'TRUE', 'True']);

/** The query to connect with. Throws what admission does. */
export async function admittedQuery(exchange: Exchange): Promise<URLSearchParams> {
  const { info, request, server } = exchange;
  const options = OPTIONS[info.subresource ?? ''] ?? {};
  const object = optionsObject(exchange, options);
  const path = object['path'];
  const admission = admissionOf(exchange, { operation: 'connect', object });
  const changed = await server.admission.mutate(admission);
  await server.admission.validate(admission);
  if (!changed) return request.query;
  if (object['path'] !== path) {
    const why = 'the path of a proxied request cannot be changed by admission';
    throw new StatusError('InternalError', `Internal error occurred: ${why}`);
  }
  return queryOf(request.query, object, options);
}

function optionsObject(
  { definition, info, request }: Exchange,
  options: Readonly<Record<string, Sort>>,
): LooseObject {
  const { kind = '' } = kindOfRequest(definition, info.subresource) ?? {};
  const object: Record<string, unknown> = { kind, apiVersion: 'v1' };
  for (const [name, sort] of Object.entries(options)) {
    const value = read(request.query, name, sort);
    if (value !== undefined) object[name] = value;
  }
  if (info.subresource === 'proxy') object['path'] = `/${info.rest.join('/')}`;
  return object as unknown as LooseObject;
}

function read(query: URLSearchParams, name: string, sort: Sort): unknown {
  if (!query.has(name)) return undefined;
  switch (sort) {
    case 'flag':
      return TRUE.has(query.get(name) ?? '') || undefined;
    case 'text':
      return query.get(name) || undefined;
    case 'texts':
      return query.getAll(name);
    case 'number':
      return query.getAll(name).map(Number);
  }
}

function queryOf(
  before: URLSearchParams,
  object: LooseObject,
  options: Readonly<Record<string, Sort>>,
): URLSearchParams {
  const query = new URLSearchParams(before);
  for (const name of Object.keys(options)) {
    query.delete(name);
    for (const each of [object[name]].flat())
      if (typeof each === 'string' || typeof each === 'number' || each === true)
        query.append(name, String(each));
  }
  return query;
}
