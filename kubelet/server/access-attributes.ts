// What a request to the node's server is about, in the terms of authorization: verbs on subresources of its Node. Pure.
// Rules of upstream's kubelet, the finer ones of KEP-2862 included: where there is one, `proxy` is enough too.
import { table } from '../../base/table.ts';

/** What is asked for; each subresource is tried in turn, and one that is allowed is enough. */
export interface AccessAttributes {
  readonly verb: string;
  readonly subresources: readonly string[];
}

const VERBS: Readonly<Record<string, string>> = table({
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
});
const COARSE: Readonly<Record<string, string>> = table({
  stats: 'stats',
  metrics: 'metrics',
  logs: 'log',
  checkpoint: 'checkpoint',
});
const FINE: Readonly<Record<string, string>> = table({
  pods: 'pods',
  runningpods: 'pods',
  healthz: 'healthz',
  configz: 'configz',
});

/** The attributes of a request by its method and the first part of its path. */
export function accessAttributes(method: string, first: string): AccessAttributes {
  const verb = VERBS[method] ?? method.toLowerCase();
  const coarse = COARSE[first];
  if (coarse !== undefined) return { verb, subresources: [coarse] };
  const fine = FINE[first];
  return { verb, subresources: fine === undefined ? ['proxy'] : [fine, 'proxy'] };
}
