// Who asks, as headers for a server behind this one. Pure.
// Invariant: a name, group or key reaches the other server whole; no byte of it can begin another header.
// Source: Kubernetes docs, "Configure the Aggregation Layer", Original Request Username and Group.
import type { UserInfo } from '../../../api/wire/exchange.ts';

/** Names of the headers, as the ConfigMap extension-apiserver-authentication tells them. */
export const REMOTE_HEADERS = {
  username: 'X-Remote-User',
  uid: 'X-Remote-Uid',
  group: 'X-Remote-Group',
  extraPrefix: 'X-Remote-Extra-',
} as const;

/** The headers; several values of one name are several headers. */
export function remoteUserHeaders(user: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    [REMOTE_HEADERS.username]: asHeader(user.username),
  };
  if (user.uid !== undefined && user.uid !== '') headers[REMOTE_HEADERS.uid] = asHeader(user.uid);
  if (user.groups.length > 0) headers[REMOTE_HEADERS.group] = user.groups.map(asHeader);
  for (const [key, values] of Object.entries(user.extra ?? {}))
    headers[`${REMOTE_HEADERS.extraPrefix}${escapedKey(key)}`] = values.map(asHeader);
  return headers;
}

/** UTF-8, as Go writes header values; what would end the line becomes a space. */
function asHeader(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return Buffer.from(value.replace(/[\u0000-\u001f\u007f]/g, ' ')).toString('latin1');
}

/** What a header's name may not have in it is percent-encoded, and so is the percent sign itself. */
function escapedKey(key: string): string {
  return [...Buffer.from(key)].map(escapedByte).join('');
}

function escapedByte(byte: number): string {
  const char = String.fromCharCode(byte);
  return /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(char)
    ? char
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
