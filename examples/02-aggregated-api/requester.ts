// Who asks: the API server in front says it by headers, which count only with its client certificate.
// Source: Kubernetes docs, "Configure the Aggregation Layer".
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { Refusal } from './recipes.ts';

/** A user as the API server in front knows it. */
export interface Requester {
  readonly name: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

const EXTRA = 'x-remote-extra-';

/** The user of a request. Throws a Refusal unless the request came through an API server with one of these names. */
export function requesterOf(
  { socket, headersDistinct }: IncomingMessage,
  allowedNames: readonly string[],
): Requester {
  const connection = socket as TLSSocket;
  const { CN } = connection.getPeerCertificate().subject ?? {};
  const name = headersDistinct['x-remote-user']?.map(asText)[0];
  const known = connection.authorized && typeof CN === 'string' && allowedNames.includes(CN);
  if (!known || name === undefined) throw new Refusal(401, 'Unauthorized', 'Unauthorized');
  const extra = Object.entries(headersDistinct)
    .filter(([header]) => header.startsWith(EXTRA))
    .map(([header, values]) => [
      decodeURIComponent(header.slice(EXTRA.length)),
      (values ?? []).map(asText),
    ]);
  return {
    name,
    groups: headersDistinct['x-remote-group']?.map(asText) ?? [],
    extra: Object.fromEntries(extra) as Requester['extra'],
  };
}

/** Headers are UTF-8, which Node reads byte by byte. */
const asText = (value: string): string => Buffer.from(value, 'latin1').toString();
