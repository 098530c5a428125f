// Which handler answers: by subresource, then by verb.
import { table } from '../../base/table.ts';
import type { PartRules } from '../../api/definition.ts';
import { methodNotAllowed, StatusError } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { Verb } from '../request-info.ts';
import { bind } from './binding.ts';
import { getComponent, listComponents } from './component-status.ts';
import { create } from './create.ts';
import { removeCollection } from './delete-collection.ts';
import { remove } from './delete.ts';
import { evict } from './eviction.ts';
import { finalize } from './finalize.ts';
import { get } from './get.ts';
import { list } from './list.ts';
import { log, stream } from './node-proxy.ts';
import { patch } from './patch.ts';
import { proxy } from './proxy.ts';
import { scale } from './scale.ts';
import { requestToken } from './token-request.ts';
import { update } from './update.ts';
import { watch } from './watch.ts';
import { checkWriteOptions } from './write-options.ts';

/** Answers one exchange; failures are thrown. */
export type VerbHandler = (exchange: Exchange) => Promise<Reply>;
type Verbs = Readonly<Partial<Record<Verb, VerbHandler>>>;

const MAIN: Verbs = {
  get,
  list,
  watch,
  create,
  update: update('all but status'),
  patch: patch('all but status'),
  delete: remove,
  deletecollection: removeCollection,
};

/** Kinds that are not stored, by plural, behind their group where they have one. */
const COMPUTED: Readonly<Record<string, Verbs>> = table({
  bindings: { create: bind },
  componentstatuses: { get: getComponent, list: listComponents },
});

/** Verbs about one object, and about a collection; a watch is about either. */
const OF_ONE = new Set<Verb>(['get', 'update', 'patch', 'delete']);
const OF_MANY = new Set<Verb>(['list', 'create', 'deletecollection']);

const STATUS: Verbs = { get, update: update('status'), patch: patch('status') };
/** Every method is passed on. */
const PROXY: Verbs = {
  get: proxy,
  create: proxy,
  update: proxy,
  patch: proxy,
  delete: proxy,
  options: proxy,
};
const SCALE: Verbs = { get: scale, update: scale, patch: scale };

/** Subresources of single kinds, by `plural/subresource`, behind their group where they have one. */
const SPECIAL: Readonly<Record<string, Verbs>> = table({
  'pods/binding': { create: bind },
  'pods/eviction': { create: evict },
  'pods/log': { get: log },
  'pods/exec': { get: stream, create: stream },
  'pods/attach': { get: stream, create: stream },
  'pods/portforward': { get: stream, create: stream },
  'nodes/proxy': PROXY,
  'pods/proxy': PROXY,
  'services/proxy': PROXY,
  'namespaces/finalize': { update: finalize },
  'serviceaccounts/token': { create: requestToken },
  'certificates.k8s.io/certificatesigningrequests/approval': STATUS,
});

/** A handler of the kind, by the rules of one part of it. */
const inPart =
  (handler: VerbHandler, rules: PartRules): VerbHandler =>
  (exchange) =>
    handler({ ...exchange, definition: { ...exchange.definition, ...rules } });

const verbsOfPart = (rules: PartRules): Verbs => ({
  get,
  update: inPart(update('all but status'), rules),
  patch: inPart(patch('all but status'), rules),
});

/** What is connected rather than written has options of its own. */
const CONNECTED = new Set(['attach', 'exec', 'portforward', 'proxy']);

/**
 * The handler of an exchange. Throws NotFound for a subresource the kind has not, MethodNotAllowed for a verb it has
 * not, Invalid for options that the write cannot have.
 */
export function routeOf(exchange: Exchange): VerbHandler {
  const { info } = exchange;
  const handler = verbsOf(exchange)[info.verb];
  const fits = info.rest.length === 0 || info.subresource === 'proxy';
  if (handler && fits && isOffered(exchange)) {
    if (!CONNECTED.has(info.subresource ?? '')) checkWriteOptions(info.verb, exchange.request);
    return handler;
  }
  throw methodNotAllowed();
}

/** Does the kind have the verb, and does the path fit it? Without this, `DELETE /api/v1/namespaces` would empty a cluster. */
function isOffered({ definition, info }: Exchange): boolean {
  const { verb, name, subresource } = info;
  if (subresource !== undefined) return name !== undefined;
  if (OF_ONE.has(verb) && name === undefined) return false;
  if (OF_MANY.has(verb) && name !== undefined) return false;
  return (definition.verbs as readonly Verb[]).includes(verb);
}

function verbsOf({ definition, info }: Exchange): Verbs {
  const { group } = definition.ref;
  const resource = `${group === '' ? '' : `${group}/`}${info.resource}`;
  if (info.subresource === undefined) return COMPUTED[resource] ?? MAIN;
  if (info.subresource === 'status' && definition.hasStatus) return STATUS;
  if (info.subresource === 'scale' && definition.scale) return SCALE;
  const part = definition.subresources.find(({ name }) => name === info.subresource)?.part;
  if (part) return verbsOfPart(part);
  const special = SPECIAL[`${resource}/${info.subresource}`];
  if (special) return special;
  throw new StatusError('NotFound', 'the server could not find the requested resource');
}
