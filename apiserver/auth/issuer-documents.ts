// How others verify ServiceAccounts' tokens: OpenID Connect's discovery document and the key set that it names
// (Kubernetes docs: service account issuer discovery). Invariant: public halves only.
import type { Reply, Request } from '../../api/wire/exchange.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';

const CONFIGURATION = '/.well-known/openid-configuration';
const KEY_SET = '/openid/v1/jwks';
/** The key is that of the cluster's first start: an hour of old news does no harm. */
const CACHING = 'public, max-age=3600';

/** Answers both paths; undefined for others. */
export function issuerDocuments(
  tokens: ServiceAccountTokens,
): (request: Pick<Request, 'path' | 'method'>) => Reply | undefined {
  const configuration = {
    issuer: tokens.issuer,
    jwks_uri: `${tokens.issuer}${KEY_SET}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
  const documents = new Map([
    [CONFIGURATION, document('application/json', configuration)],
    [KEY_SET, document('application/jwk-set+json', tokens.key.keySet())],
  ]);
  return ({ path, method }) =>
    method === 'GET' || method === 'HEAD' ? documents.get(path.replace(/\/$/, '')) : undefined;
}

function document(type: string, value: object): Reply {
  return {
    kind: 'body',
    status: 200,
    headers: { 'content-type': type, 'cache-control': CACHING },
    body: [Buffer.from(JSON.stringify(value))],
  };
}
