// From a request to what RBAC is asked, and the refusal in the words that clients know.
import { forbidden, StatusError } from '../../api/status.ts';
import type { AccessRequest } from '../../api/rbac/evaluate.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import type { RequestInfo, ResourceInfo, Verb } from '../request-info.ts';
import type { Decision, RbacAuthorizer } from './rbac.ts';

/** Throws Forbidden unless the user may do it. */
export function authorize(rbac: RbacAuthorizer, user: UserInfo, info: RequestInfo): void {
  if (info.kind === 'path') {
    const request = { verb: info.verb, path: info.path };
    if (rbac.allows(user, request, '')) return;
    const why = `forbidden: User "${user.username}" cannot ${info.verb} path "${info.path}"`;
    throw new StatusError('Forbidden', because(why, rbac.decide(user, request, '')));
  }
  const missing = verbsOf(info).find(
    (verb) => !rbac.allows(user, accessOf(info, verb), info.namespace),
  );
  if (missing === undefined) return;
  const what = { group: info.group, plural: info.resource };
  const decision = rbac.decide(user, accessOf(info, missing), info.namespace);
  throw forbidden(
    what,
    info.name ?? '',
    because(refusal(user, { ...info, verb: missing }), decision),
  );
}

/** A refusal with what is wrong with the rules, if anything. */
export const because = (refused: string, { reason }: Decision): string =>
  reason === undefined ? refused : `${refused}: ${reason}`;

const OPENING = new Set(['exec', 'attach', 'portforward']);

/**
 * A WebSocket's handshake is a GET, but what it opens is a shell or a way in: exec, attach and portforward need `create`
 * too, so that who may only read cannot run commands (upstream does so from 1.35 on).
 */
function verbsOf({ resource, subresource, verb }: ResourceInfo): readonly Verb[] {
  const opens = resource === 'pods' && OPENING.has(subresource ?? '');
  return opens && verb === 'get' ? ['get', 'create'] : [verb];
}

/** What RBAC is asked for a verb on a request's resource. A watch or list of one name is about that name. */
function accessOf(info: ResourceInfo, verb: Verb): AccessRequest {
  const { group, resource, subresource, name, selectedName } = info;
  const about = verb === 'create' ? name : (name ?? selectedName);
  return { verb, group, resource, subresource, name: about };
}

/** `User "x" cannot list resource "pods" in API group "" in the namespace "default"`. */
export function refusal(
  user: UserInfo,
  info: Pick<ResourceInfo, 'verb' | 'group' | 'resource' | 'subresource' | 'namespace'>,
): string {
  const resource = info.subresource ? `${info.resource}/${info.subresource}` : info.resource;
  const scope = info.namespace ? `in the namespace "${info.namespace}"` : 'at the cluster scope';
  return `User "${user.username}" cannot ${info.verb} resource "${resource}" in API group "${info.group}" ${scope}`;
}
