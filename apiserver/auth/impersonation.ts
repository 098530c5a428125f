// Acting as somebody else (kubectl --as): the Impersonate-… headers, allowed by the `impersonate` verb.
import { badRequest, forbidden } from '../../api/status.ts';
import type { Request, UserInfo } from '../../api/wire/exchange.ts';
import type { RbacAuthorizer } from './rbac.ts';

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** The user that the request acts as: the caller, or the one named in the headers. Throws Forbidden, BadRequest. */
export function actingAs(rbac: RbacAuthorizer, caller: UserInfo, request: Request): UserInfo {
  const username = request.headers['impersonate-user'];
  const groups = list(request.headers['impersonate-group']);
  if (username === undefined) {
    if (groups.length > 0) throw badRequest('Impersonate-Group needs Impersonate-User');
    return caller;
  }
  const account = ACCOUNT.exec(username);
  if (account)
    need(rbac, caller, { resource: 'serviceaccounts', name: account[2] ?? '' }, account[1]);
  else need(rbac, caller, { resource: 'users', name: username });
  for (const group of groups) need(rbac, caller, { resource: 'groups', name: group });
  const own = account
    ? ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`]
    : [];
  return { username, groups: [...new Set([...groups, ...own, 'system:authenticated'])] };
}

function need(
  rbac: RbacAuthorizer,
  caller: UserInfo,
  about: { resource: string; name: string },
  namespace = '',
): void {
  const request = { verb: 'impersonate', group: '', ...about };
  if (rbac.allows(caller, request, namespace)) return;
  throw forbidden(
    { group: '', plural: about.resource },
    about.name,
    `User "${caller.username}" cannot impersonate resource "${about.resource}" in API group "" at the cluster scope`,
  );
}

function list(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
