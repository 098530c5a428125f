// Impersonation (Kubernetes docs: user impersonation): acting as somebody else, by headers, where rules allow it.
// Invariant: each part of the other identity is authorised by itself, as the verb `impersonate`.
import { badRequest, forbidden } from '../../api/status.ts';
import type { Request, UserInfo } from '../../api/wire/exchange.ts';
import { ANONYMOUS, authenticated, UNAUTHENTICATED } from './authenticator.ts';
import { because } from './authorization.ts';
import type { RbacAuthorizer } from './rbac.ts';

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const PREFIX = 'impersonate-';
const EXTRA = 'impersonate-extra-';
const AUTHENTICATION_GROUP = 'authentication.k8s.io';

interface Part {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The user that the request is made as: the caller, or who the headers name. Throws Forbidden, BadRequest. */
export function actingAs(
  rbac: RbacAuthorizer,
  user: UserInfo,
  { headers }: Pick<Request, 'headers'>,
): UserInfo {
  if (!impersonates(headers)) return user;
  const username = headers['impersonate-user'];
  const groups = listOf(headers['impersonate-group']);
  const uid = headers['impersonate-uid'];
  const extra = extraOf(headers);
  if (!username) {
    if (groups.length > 0 || uid || Object.keys(extra).length > 0)
      throw badRequest('requested groups, uid or extra without impersonating a user');
    return user;
  }
  for (const part of partsOf({ username, groups, uid, extra })) check(rbac, user, part);
  const account = ACCOUNT.exec(username);
  const own = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : [];
  const other: UserInfo = {
    username,
    groups: groups.length > 0 ? groups : own,
    ...(uid ? { uid } : {}),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
  if (username === ANONYMOUS.username)
    return { ...other, groups: [...other.groups, UNAUTHENTICATED] };
  return authenticated(other);
}

function impersonates(headers: Request['headers']): boolean {
  for (const name in headers) if (name.startsWith(PREFIX)) return true;
  return false;
}

interface Wanted {
  readonly username: string;
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

function partsOf({ username, groups, uid, extra }: Wanted): Part[] {
  const account = ACCOUNT.exec(username);
  const [, namespace = '', name = ''] = account ?? [];
  return [
    account
      ? { group: '', resource: 'serviceaccounts', namespace, name }
      : { group: '', resource: 'users', name: username },
    ...groups.map((group) => ({ group: '', resource: 'groups', name: group })),
    ...(uid ? [{ group: AUTHENTICATION_GROUP, resource: 'uids', name: uid }] : []),
    ...Object.entries(extra).flatMap(([subresource, values]) =>
      values.map((value) => ({
        group: AUTHENTICATION_GROUP,
        resource: 'userextras',
        subresource,
        name: value,
      })),
    ),
  ];
}

function check(rbac: RbacAuthorizer, user: UserInfo, part: Part): void {
  const { group, resource, subresource, namespace = '', name } = part;
  const request = { verb: 'impersonate', group, resource, subresource, name };
  if (rbac.allows(user, request, namespace)) return;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const why = `User "${user.username}" cannot impersonate resource "${resource}" in API group "${group}" ${where}`;
  const decision = rbac.decide(user, request, namespace);
  throw forbidden({ group, plural: resource }, name, because(why, decision));
}

function extraOf(headers: Request['headers']): Record<string, string[]> {
  const entries = Object.entries(headers)
    .filter(([name, value]) => name.startsWith(EXTRA) && value !== undefined)
    .map(([name, value]) => [decoded(name.slice(EXTRA.length)), listOf(value)] as const);
  return Object.fromEntries(entries);
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    throw badRequest(`the key of the header ${EXTRA}${key} is not percent-encoded text`);
  }
}

function listOf(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
